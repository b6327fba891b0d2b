"""Sends what begins a deployment on App Platform, once; when the answer is lost, looks for what became of it."""

from typing import Any

from scripts.deploy.app_platform import app_spec
from scripts.deploy.app_platform.api import Api, Document
from scripts.deploy.errors import ExternalError, NeedsAttention, Refused
from scripts.deploy.report import Report

POLL_SECONDS = 5
# How often it is looked for.
SEARCH_ATTEMPTS = 6


def start_deployment(
    api: Api, report: Report, app_id: str, method: str, path: str, body: dict[str, Any], images: dict[str, str]
) -> str:
    """Send a change of an app and return the id of the deployment of these images that it began.

    Raises Refused when the platform says no, NeedsAttention when it isn't known what became of the request.
    """
    try:
        known = {one["id"] for one in list_deployments(api, app_id)}
    except ExternalError as error:
        raise Refused(f"{error}. Nothing was sent: a lost answer could not be told from one that came") from None
    try:
        answer = api.send(method, f"/v2/apps/{app_id}{path}", body)
    except ExternalError as error:
        _raise_refusal(error)
        report.say(f"  {error}; looking for what became of it")
        return _found(api, app_id, known, images, str(error))
    begun = answer.get("deployment") or answer["app"].get("pending_deployment")
    return str(begun["id"]) if begun else _found(api, app_id, known, images, "App Platform named no deployment")


def find_first_deployment(api: Api, app_id: str, images: dict[str, str]) -> str:
    """Return the id of the deployment that an app of these images was made with. Raises NeedsAttention."""
    return _found(api, app_id, set(), images, "The app was made")


def create_app(api: Api, report: Report, spec: app_spec.Spec) -> str:
    """Make an app and return its id; the caller finds its deployment. Raises Refused or NeedsAttention."""
    try:
        return str(api.send("POST", "/v2/apps", {"spec": spec})["app"]["id"])
    except ExternalError as error:
        _raise_refusal(error)
        report.say(f"  {error}; looking for what became of it")
        found = find_app(api, spec["name"])
        if not found:
            raise NeedsAttention(f"{error}. The same command again goes on from where the platform is") from None
        return found


def find_app(api: Api, name: str) -> str:
    """Return the id of the account's app of that name; "" when there is none."""
    return next((app["id"] for app in api.pages("/v2/apps", "apps") if app["spec"]["name"] == name), "")


def list_deployments(api: Api, app_id: str) -> list[Document]:
    """Return the last deployments, newest first."""
    return list(api.get(f"/v2/apps/{app_id}/deployments", page=1, per_page=30).get("deployments") or [])


def _found(api: Api, app_id: str, known: set[str], images: dict[str, str], why: str) -> str:
    for _ in range(SEARCH_ATTEMPTS):
        for one in list_deployments(api, app_id):
            if one["id"] not in known and app_spec.digests(one["spec"]) == images:
                return str(one["id"])
        api.system.sleep(POLL_SECONDS)
    raise NeedsAttention(f"{why}, and no deployment of it is to be seen. The same command again goes on from there")


def _raise_refusal(error: ExternalError) -> None:
    """Raise Refused for an answer that says nothing was done; a lost one, and a server's error, say nothing."""
    if 400 <= error.status < 500:
        raise Refused(str(error)) from None
