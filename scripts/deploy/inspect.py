"""The read-only commands: status, logs, smoke."""

from typing import Any

from scripts.deploy.command import Command, require_app
from scripts.deploy.errors import ExternalError, NeedsAttention, Refused
from scripts.deploy.platform import Deployment
from scripts.deploy.releases import SHORT, commit_of_images, passed_smoke_test
from scripts.deploy.smoke import site_url

SHOWN = 10


def status(command: Command) -> str:
    """Show the app's deployments and its health. Raises NeedsAttention when the site is unhealthy."""
    state = require_app(command, command.platform.find_state())
    app, say = command.platform.app, command.report.say
    command.report.facts["url"] = state.url
    say(f"  {app} at {state.url or 'no address yet'}{', pinned to a rollback' if state.pinned else ''}")
    say(f"  {'active':<10} {_describe(command, state.active)}")
    if state.in_progress:
        say(f"  {'deploying':<10} {_describe(command, state.in_progress)}")
    for deployment in command.platform.history()[:SHOWN]:
        if deployment != state.active:
            say(f"  {'earlier':<10} {_describe(command, deployment)}")
    health = _health(command, state.url)
    say(f"  {'health':<10} {health}")
    if not health.startswith("ok"):
        raise NeedsAttention(f"{app} is unhealthy: {health}")
    return f"{app} is healthy"


def logs(command: Command, component: str) -> str:
    require_app(command, command.platform.find_state())
    text = command.platform.logs(component)
    command.report.quote(text or "there is no log: nothing was logged, or the platform did not keep it")
    return f"the last lines of {component or 'all components'}"


def smoke_test(command: Command) -> str:
    state = require_app(command, command.platform.find_state())
    if state.active is None:
        raise Refused(f"Nothing is live in {command.platform.app} yet")
    command.delivery.verify(commit_of_images(command.registry, state.active.images))
    return f"{state.url} is healthy"


def _describe(command: Command, deployment: Deployment | None) -> str:
    if deployment is None:
        return "nothing"
    commit = commit_of_images(command.registry, deployment.images)[:SHORT] or "unknown commit"
    tag = command.environment.passed_tag
    passed = passed_smoke_test(command.registry, deployment.images, tag)
    return f"{commit}  {deployment.id}  {tag if passed else 'not verified'}"


def _health(command: Command, url: str) -> str:
    if not url:
        return "no address yet"
    try:
        response = command.system.get(f"{site_url(url)}/health", {}, attempts=2)
        document: dict[str, Any] = response.json()
        checks = ", ".join(f"{name} {status}" for name, status in document["checks"].items())
        return f"{document['status']}, version {document['version']}, {checks}"
    except ExternalError as error:
        return str(error)
    except (ValueError, LookupError, TypeError):
        return f"/health returned {response.status_code}, not this application's health document"
