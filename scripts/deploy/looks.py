"""The commands that change nothing: status, logs, smoke."""

from typing import Any

from scripts.deploy.command import Command, existing
from scripts.deploy.errors import OutsideError, Refused, Unsure
from scripts.deploy.platform import Deployment
from scripts.deploy.releases import SHORT, commit_of_images, is_proven
from scripts.deploy.smoke_run import address

SHOWN = 10


def status(command: Command) -> str:
    """Say what runs, what is under way, what can be gone back to, and how the site is. Raises Unsure when it is ill."""
    state = existing(command, command.platform.look())
    say = command.report.say
    command.report.facts["url"] = state.url
    say(
        f"  {command.platform.app} at {state.url or 'no address yet'}{', pinned to a rollback' if state.pinned else ''}"
    )
    say(f"  {'active':<10} {_told(command, state.active)}")
    if state.under_way:
        say(f"  {'under way':<10} {_told(command, state.under_way)}")
    for deployment in command.platform.history()[:SHOWN]:
        if deployment != state.active:
            say(f"  {'earlier':<10} {_told(command, deployment)}")
    health = _health(command, state.url)
    say(f"  {'health':<10} {health}")
    if not health.startswith("ok"):
        raise Unsure(f"{command.platform.app} is not well: {health}")
    return f"{command.platform.app} is well"


def logs(command: Command, component: str) -> str:
    """Print the last lines of a component, or of all."""
    existing(command, command.platform.look())
    text = command.platform.logs(component)
    command.report.quote(text or "nothing was logged, or the platform keeps no log")
    return f"the last lines of {component or 'all components'}"


def smoke_test(command: Command) -> str:
    """Try the site through its queue, as the release that has the traffic."""
    state = existing(command, command.platform.look())
    if state.active is None:
        raise Refused(f"Nothing has the traffic of {command.platform.app} yet")
    command.delivery.prove(commit_of_images(command.registry, state.active.images))
    return f"{state.url} is well"


def _told(command: Command, deployment: Deployment | None) -> str:
    if deployment is None:
        return "nothing"
    commit = commit_of_images(command.registry, deployment.images)[:SHORT] or "no commit known"
    proven = is_proven(command.registry, deployment.images, command.environment.gives)
    return f"{commit}  {deployment.id}  {command.environment.gives if proven else 'not proven'}"


def _health(command: Command, url: str) -> str:
    if not url:
        return "no address yet"
    try:
        answer = command.outside.get(f"{address(url)}/health", {}, attempts=2)
        document: dict[str, Any] = answer.json()
        checks = ", ".join(f"{name} {word}" for name, word in document["checks"].items())
        return f"{document['status']}, version {document['version']}, {checks}"
    except OutsideError as error:
        return str(error)
    except (ValueError, LookupError, TypeError):
        return f"/health answered {answer.status_code}, and not as this application does"
