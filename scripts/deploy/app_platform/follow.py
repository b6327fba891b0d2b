"""Waits for a deployment on App Platform: its phase alone tells how it ended."""

from scripts.deploy.app_platform.api import Api, Document
from scripts.deploy.app_platform.begin import POLL_SECONDS
from scripts.deploy.app_platform.failed_steps import failed_steps
from scripts.deploy.errors import NeedsAttention, ReleaseFailed
from scripts.deploy.report import Report

FAILED = ("ERROR", "CANCELED")


def reached_active(api: Api, report: Report, app_id: str, deployment: str, seconds: float) -> bool:
    """Poll a deployment, and tell whether it became ACTIVE in so many seconds.

    Raises ReleaseFailed with the logs that matter when it ended otherwise, NeedsAttention when another took its place.
    """
    path = f"/v2/apps/{app_id}/deployments/{deployment}"
    deadline, shown = api.system.clock() + seconds, ""
    while True:
        found = api.get(path)["deployment"]
        told = _told(found)
        if told != shown:
            report.say(told)
        shown = told
        if found["phase"] == "ACTIVE":
            return True
        if found["phase"] == "SUPERSEDED":
            raise NeedsAttention(
                f"Another deployment took the place of {deployment}: somebody else deploys. See: make status"
            )
        if found["phase"] in FAILED:
            steps, log = failed_steps(api, path, found)
            raise ReleaseFailed(f"Deployment {deployment} ended as {found['phase']}{steps}", log)
        if api.system.clock() > deadline:
            return False
        api.system.sleep(POLL_SECONDS)


def _told(deployment: Document) -> str:
    progress = deployment.get("progress") or {}
    steps = f"{progress.get('success_steps', 0)}/{progress.get('total_steps', 0)}"
    return f"  {deployment['phase'].lower()} {steps}"
