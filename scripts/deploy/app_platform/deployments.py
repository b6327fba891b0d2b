"""Starts deployments on App Platform, waits for them, and reports why they failed."""

from collections.abc import Iterator
from typing import Any

from scripts.deploy.app_platform import app_spec
from scripts.deploy.app_platform.api import Api, Document
from scripts.deploy.errors import ExternalError, NeedsAttention, Refused, ReleaseFailed
from scripts.deploy.report import Report

POLL_SECONDS = 5
# How often to search for a deployment whose response was lost.
SEARCH_ATTEMPTS = 6
FAILED = ("ERROR", "CANCELED")
LOG_LINES = 60


def find_app(api: Api, name: str) -> str:
    """Return the id of the account's app with this name, or ""."""
    return next((app["id"] for app in api.pages("/v2/apps", "apps") if app["spec"]["name"] == name), "")


def create_app(api: Api, report: Report, spec: app_spec.Spec) -> str:
    """Return the new app's id. Raises Refused or NeedsAttention."""
    try:
        return str(api.send("POST", "/v2/apps", {"spec": spec})["app"]["id"])
    except ExternalError as error:
        _raise_if_rejected(error)
        report.say(f"  {error}; checking whether it was carried out")
        found = find_app(api, spec["name"])
        if not found:
            raise NeedsAttention(f"{error}. Run the same command again to continue") from None
        return found


def list_deployments(api: Api, app_id: str) -> list[Document]:
    return list(api.get(f"/v2/apps/{app_id}/deployments", page=1, per_page=30).get("deployments") or [])


def start_deployment(
    api: Api, report: Report, app_id: str, method: str, path: str, body: dict[str, Any], images: dict[str, str]
) -> str:
    """Send a change of an app once, and return the id of the deployment that it starts.

    When the response is lost, the platform is searched for a new deployment of these images. Raises Refused when the
    platform rejects the change, NeedsAttention when it is unknown whether the change was carried out.
    """
    try:
        known = {one["id"] for one in list_deployments(api, app_id)}
    except ExternalError as error:
        # Without this list, a new deployment can't be distinguished from an older one of the same images.
        raise Refused(f"{error}. Nothing was changed") from None
    try:
        response = api.send(method, f"/v2/apps/{app_id}{path}", body)
    except ExternalError as error:
        _raise_if_rejected(error)
        report.say(f"  {error}; checking whether it was carried out")
        return _find_new_deployment(api, app_id, known, images, str(error))
    started = response.get("deployment") or response["app"].get("pending_deployment")
    if started:
        return str(started["id"])
    return _find_new_deployment(api, app_id, known, images, "App Platform returned no deployment")


def find_first_deployment(api: Api, app_id: str, images: dict[str, str]) -> str:
    """Return the id of the deployment that creating an app started. Raises NeedsAttention."""
    return _find_new_deployment(api, app_id, set(), images, "The app was created")


def _find_new_deployment(api: Api, app_id: str, known: set[str], images: dict[str, str], reason: str) -> str:
    for _ in range(SEARCH_ATTEMPTS):
        for one in list_deployments(api, app_id):
            if one["id"] not in known and app_spec.digests(one["spec"]) == images:
                return str(one["id"])
        api.system.sleep(POLL_SECONDS)
    hint = "Run the same command again to continue"
    raise NeedsAttention(f"{reason}, and no deployment of these images was found. {hint}")


def _raise_if_rejected(error: ExternalError) -> None:
    """Raise Refused for a 4xx response: nothing was done. After a lost response or a 5xx that is unknown."""
    if 400 <= error.status < 500:
        raise Refused(str(error)) from None


def wait_until_active(api: Api, report: Report, app_id: str, deployment: str, seconds: float) -> bool:
    """Poll a deployment; return True when it is ACTIVE, False when the time is up.

    Raises ReleaseFailed with the failed steps' logs, NeedsAttention when another deployment replaced it.
    """
    path = f"/v2/apps/{app_id}/deployments/{deployment}"
    deadline, shown = api.system.clock() + seconds, ""
    while True:
        found = api.get(path)["deployment"]
        progress = _progress(found)
        if progress != shown:
            report.say(progress)
        shown = progress
        if found["phase"] == "ACTIVE":
            return True
        if found["phase"] == "SUPERSEDED":
            hint = "someone else is deploying. See: make status"
            raise NeedsAttention(f"Another deployment replaced {deployment}: {hint}")
        if found["phase"] in FAILED:
            reasons, log = _failed_steps(api, path, found)
            raise ReleaseFailed(f"Deployment {deployment} ended as {found['phase']}{reasons}", log)
        if api.system.clock() > deadline:
            return False
        api.system.sleep(POLL_SECONDS)


def _progress(deployment: Document) -> str:
    progress = deployment.get("progress") or {}
    steps = f"{progress.get('success_steps', 0)}/{progress.get('total_steps', 0)}"
    return f"  {deployment['phase'].lower()} {steps}"


def _failed_steps(api: Api, path: str, deployment: Document) -> tuple[str, str]:
    """Return the reasons of the failed steps in parentheses, and the last lines of their logs."""
    steps = list(_innermost_failures((deployment.get("progress") or {}).get("steps") or []))
    reasons = [f"{step.get('component_name') or step['name']}: {_reason(step)}" for step in steps]
    logs = []
    for step in steps:
        component = step.get("component_name", "")
        part = f"/components/{component}" if component else ""
        kinds = ("BUILD",) if step["name"] == "build" else ("DEPLOY", "RUN")
        text = next(filter(None, (read_log(api, f"{path}{part}/logs", kind) for kind in kinds)), "")
        if text:
            logs.append(f"--- {component or step['name']}\n{text}")
    return (f" ({'; '.join(reasons)})" if reasons else ""), "\n".join(logs)


def _innermost_failures(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        inner = list(_innermost_failures(step.get("steps") or []))
        if inner:
            yield from inner
        elif step.get("status") == "ERROR":
            yield step


def _reason(step: dict[str, Any]) -> str:
    reason = step.get("reason") or {}
    return str(reason.get("message") or reason.get("code") or "no reason given").splitlines()[0][:200]


def read_log(api: Api, path: str, kind: str) -> str:
    """Return the last lines of a log, or "" when it is not available."""
    try:
        links = api.get(path, type=kind, follow=False)
    except ExternalError:
        return ""
    urls = [*(links.get("historic_urls") or []), links.get("live_url") or ""]
    url = next((one for one in urls if one.startswith(("https:", "http:"))), "")
    # The URL is signed: send no token there, and never show the URL.
    text = api.system.read_log(url) if url else ""
    return "\n".join(text.splitlines()[-LOG_LINES:])
