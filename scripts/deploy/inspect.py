"""The commands that change nothing: status, logs, smoke."""

from typing import Any

from scripts.deploy.command import Command, require_app
from scripts.deploy.errors import ExternalError, NeedsAttention, Refused
from scripts.deploy.platform import Deployment
from scripts.deploy.releases import SHORT, commit_of_images, passed_smoke_test
from scripts.deploy.smoke import address

SHOWN = 10


def status(command: Command) -> str:
    """Show the deployments and the health of the site. Raises NeedsAttention when the site is unhealthy."""
    state = require_app(command, command.platform.find_state())
    say = command.report.say
    command.report.facts["url"] = state.url
    say(
        f"  {command.platform.app} at {state.url or 'no address yet'}{', pinned to a rollback' if state.pinned else ''}"
    )
    say(f"  {'active':<10} {_told(command, state.active)}")
    if state.in_progress:
        say(f"  {'under way':<10} {_told(command, state.in_progress)}")
    for deployment in command.platform.history()[:SHOWN]:
        if deployment != state.active:
            say(f"  {'earlier':<10} {_told(command, deployment)}")
    health = _health(command, state.url)
    say(f"  {'health':<10} {health}")
    if not health.startswith("ok"):
        raise NeedsAttention(f"{command.platform.app} is not well: {health}")
    return f"{command.platform.app} is well"


def logs(command: Command, component: str) -> str:
    """Print the last lines of a component, or of all."""
    require_app(command, command.platform.find_state())
    text = command.platform.logs(component)
    command.report.quote(text or "nothing was logged, or the platform keeps no log")
    return f"the last lines of {component or 'all components'}"


def smoke_test(command: Command) -> str:
    """Try the site through its queue, as the release that has the traffic."""
    state = require_app(command, command.platform.find_state())
    if state.active is None:
        raise Refused(f"Nothing has the traffic of {command.platform.app} yet")
    command.delivery.verify(commit_of_images(command.registry, state.active.images))
    return f"{state.url} is well"


def _told(command: Command, deployment: Deployment | None) -> str:
    if deployment is None:
        return "nothing"
    commit = commit_of_images(command.registry, deployment.images)[:SHORT] or "no commit known"
    proven = passed_smoke_test(command.registry, deployment.images, command.environment.passed_tag)
    return f"{commit}  {deployment.id}  {command.environment.passed_tag if proven else 'not proven'}"


def _health(command: Command, url: str) -> str:
    if not url:
        return "no address yet"
    try:
        answer = command.system.get(f"{address(url)}/health", {}, attempts=2)
        document: dict[str, Any] = answer.json()
        checks = ", ".join(f"{name} {word}" for name, word in document["checks"].items())
        return f"{document['status']}, version {document['version']}, {checks}"
    except ExternalError as error:
        return str(error)
    except (ValueError, LookupError, TypeError):
        return f"/health answered {answer.status_code}, and not as this application does"
