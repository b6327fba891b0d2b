"""Runs the smoke test against what was deployed."""

import json
import os
import re
import sys
from typing import Any

from scripts.deploy.errors import Refused
from scripts.deploy.report import Report
from scripts.deploy.system import System

# Said by --help.
VARIABLES = (
    "The smoke test signs in as SMOKE_EMAIL with SMOKE_PASSWORD, or what SMOKE_PASSWORD_FILE holds, else as a new "
    "account. SMOKE_URL=https://… is tried instead of the platform's address; SMOKE_API_ONLY=1 tries no page, for "
    "a frontend that is elsewhere."
)
# A release that was just given the traffic may need so long until every process of the old one is gone.
SETTLE_SECONDS = 30
SITE = re.compile(r"(https://[^/?#@\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?)/?")


def check_variables() -> None:
    """Raise Refused for variables that the smoke test would refuse when all is deployed, and take for a failure."""
    url = os.environ.get("SMOKE_URL", "")
    if url and not SITE.fullmatch(url):
        raise Refused("SMOKE_URL is a scheme and a host, such as https://studio.example.com, or of this machine")
    has_password = bool(os.environ.get("SMOKE_PASSWORD") or os.environ.get("SMOKE_PASSWORD_FILE"))
    if bool(os.environ.get("SMOKE_EMAIL")) != has_password:
        raise Refused("SMOKE_EMAIL and SMOKE_PASSWORD (or SMOKE_PASSWORD_FILE) belong together: set both or neither")


def address(url: str) -> str:
    """Return where a site is tried: at SMOKE_URL when that is set, else at `url`."""
    return os.environ.get("SMOKE_URL", "").rstrip("/") or url


def smoke(system: System, report: Report, url: str, git_sha: str) -> str:
    """Try a site through its queue and back; return "" when all is well, else what failed, a line each.

    Its account travels by the environment, for argument lists are public on a machine.
    """
    more = ["--expect-sha", git_sha] if git_sha else []
    more += ["--api-only"] if os.environ.get("SMOKE_API_ONLY") else []
    command = [sys.executable, "-m", "scripts.smoke", address(url), "--json", "--settle", str(SETTLE_SECONDS), *more]
    ran = system.run(command)
    steps: list[dict[str, Any]] = []
    if ran.out.startswith("{"):
        steps = json.loads(ran.out)["steps"]
    for step in steps:
        report.say(f"  {step['status']:<7} {step['name']:<9} {step['ms']:>6} ms  {step['message']}".rstrip())
    if ran.code == 0:
        return ""
    failed = [f"{step['name']}: {step['message']}" for step in steps if step["status"] == "failed"]
    return "\n".join(failed) or ran.err.strip()[-500:] or f"the smoke test ended with status {ran.code}"
