"""Runs the smoke test against what was deployed."""

import json
import sys
from typing import Any

from scripts.deploy.outside import Outside
from scripts.deploy.report import Report

# A release that was just given the traffic may need so long until every process of the old one is gone.
SETTLE_SECONDS = 30


def smoke(outside: Outside, report: Report, url: str, git_sha: str) -> str:
    """Try a site through its queue and back; return "" when all is well, else what failed, a line each.

    The account is that of SMOKE_EMAIL and SMOKE_PASSWORD or SMOKE_PASSWORD_FILE, which travel by the environment.
    """
    expected = ["--expect-sha", git_sha] if git_sha else []
    command = [sys.executable, "-m", "scripts.smoke", url, "--json", "--settle", str(SETTLE_SECONDS), *expected]
    ran = outside.run(command)
    steps: list[dict[str, Any]] = []
    if ran.out.startswith("{"):
        steps = json.loads(ran.out)["steps"]
    for step in steps:
        report.say(f"  {step['status']:<7} {step['name']:<9} {step['ms']:>6} ms  {step['message']}".rstrip())
    if ran.code == 0:
        return ""
    failed = [f"{step['name']}: {step['message']}" for step in steps if step["status"] == "failed"]
    return "\n".join(failed) or ran.err.strip()[-500:] or f"the smoke test ended with status {ran.code}"
