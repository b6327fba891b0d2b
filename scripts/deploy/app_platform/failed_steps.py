"""Why a deployment on App Platform failed: the steps that ended in an error, and their logs."""

from collections.abc import Iterator
from typing import Any

from scripts.deploy.app_platform.api import Api, Document
from scripts.deploy.errors import ExternalError

LINES = 60


def failed_steps(api: Api, path: str, deployment: Document) -> tuple[str, str]:
    """Return a sentence's end about the failed steps, and the last lines of their logs."""
    steps = list(_errors((deployment.get("progress") or {}).get("steps") or []))
    reasons = [f"{step.get('component_name') or step['name']}: {_reason(step)}" for step in steps]
    logs = []
    for step in steps:
        component = step.get("component_name", "")
        part = f"/components/{component}" if component else ""
        kinds = ("BUILD",) if step["name"] == "build" else ("DEPLOY", "RUN")
        text = next(filter(None, (read_log_end(api, f"{path}{part}/logs", kind) for kind in kinds)), "")
        if text:
            logs.append(f"--- {component or step['name']}\n{text}")
    return (f" ({'; '.join(reasons)})" if reasons else ""), "\n".join(logs)


def read_log_end(api: Api, path: str, kind: str) -> str:
    """Return the last lines of a log; "" when there is none, or it can't be had."""
    try:
        links = api.get(path, type=kind, follow=False)
    except ExternalError:
        return ""
    addresses = [*(links.get("historic_urls") or []), links.get("live_url") or ""]
    address = next((one for one in addresses if one.startswith(("https:", "http:"))), "")
    # The address is signed by itself: the token is not sent there, and it is not shown.
    text = api.system.read_log(address) if address else ""
    return "\n".join(text.splitlines()[-LINES:])


def _errors(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Return the innermost steps that failed."""
    for step in steps:
        inner = list(_errors(step.get("steps") or []))
        if inner:
            yield from inner
        elif step.get("status") == "ERROR":
            yield step


def _reason(step: dict[str, Any]) -> str:
    reason = step.get("reason") or {}
    return str(reason.get("message") or reason.get("code") or "no reason given").splitlines()[0][:200]
