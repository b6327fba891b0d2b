"""Runs the smoke test against a deployed site."""

import json
import os
import re
import sys
from typing import Any

from scripts.deploy.errors import Refused
from scripts.deploy.report import Report
from scripts.deploy.system import System

# Shown by --help.
VARIABLES = (
    "The smoke test signs in as SMOKE_EMAIL with SMOKE_PASSWORD or the content of SMOKE_PASSWORD_FILE; without them it "
    "creates an account. SMOKE_URL=https://… replaces the platform's address. SMOKE_API_ONLY=1 tests no page; use it "
    "when the frontend is hosted elsewhere."
)
# How long processes of the old release may still respond after the new one is live.
SETTLE_SECONDS = 30
SITE = re.compile(r"(https://[^/?#@\s]+|http://(127\.0\.0\.1|localhost)(:\d+)?)/?")


def check_variables() -> None:
    """Raise Refused for variables that the smoke test would reject only after the deployment."""
    url = os.environ.get("SMOKE_URL", "")
    if url and not SITE.fullmatch(url):
        raise Refused("SMOKE_URL must be a scheme and a host, such as https://studio.example.com")
    has_password = bool(os.environ.get("SMOKE_PASSWORD") or os.environ.get("SMOKE_PASSWORD_FILE"))
    if bool(os.environ.get("SMOKE_EMAIL")) != has_password:
        raise Refused("Set both SMOKE_EMAIL and SMOKE_PASSWORD (or SMOKE_PASSWORD_FILE), or neither")


def site_url(url: str) -> str:
    return os.environ.get("SMOKE_URL", "").rstrip("/") or url


def smoke(system: System, report: Report, url: str, git_sha: str) -> str:
    """Test a site, including its queue; return "" when it is healthy, else one line per failed step.

    The account is passed in the environment, because every user of a machine can read argument lists.
    """
    more = ["--expect-sha", git_sha] if git_sha else []
    more += ["--api-only"] if os.environ.get("SMOKE_API_ONLY") else []
    command = [sys.executable, "-m", "scripts.smoke", site_url(url), "--json", "--settle", str(SETTLE_SECONDS), *more]
    result = system.run(command)
    steps: list[dict[str, Any]] = []
    if result.out.startswith("{"):
        steps = json.loads(result.out)["steps"]
    for step in steps:
        report.say(f"  {step['status']:<7} {step['name']:<9} {step['ms']:>6} ms  {step['message']}".rstrip())
    if result.code == 0:
        return ""
    failed = [f"{step['name']}: {step['message']}" for step in steps if step["status"] == "failed"]
    return "\n".join(failed) or result.err.strip()[-500:] or f"the smoke test exited with status {result.code}"
