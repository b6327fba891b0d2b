"""Runs flyctl for one app and reads its output."""

import json
import os
import re
from collections.abc import Sequence
from typing import Any

from scripts.deploy.errors import ExternalError, Refused, ReleaseFailed
from scripts.deploy.fly import commands
from scripts.deploy.report import Report
from scripts.deploy.system import ProgramResult, System

# No update checks, no usage statistics, no colours in logs.
QUIET = {"FLY_NO_UPDATE_CHECK": "1", "FLY_SEND_METRICS": "0", "NO_COLOR": "1"}
LAST_LINES = 60
# Messages of Fly's two APIs; the command and the version of flyctl decide which one is used.
APP_NOT_FOUND = re.compile(r"could not find app|app not found", re.IGNORECASE)
UNAUTHORIZED = re.compile(r"must be authenticated|unauthorized|no access token|token validation", re.IGNORECASE)
TOKEN_HINT = "FLY_API_TOKEN is invalid or expired. Create another for the organisation: fly tokens create org"
CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Flyctl:
    """flyctl, which reads its token from FLY_API_TOKEN. Raises Refused without one."""

    def __init__(self, system: System, report: Report, app: str) -> None:
        self._system = system
        self._report = report
        self._app = app
        self.token = os.environ.get("FLY_API_TOKEN", "")
        if not self.token:
            raise Refused(
                "FLY_API_TOKEN is not set. Create one for the organisation and export it: fly tokens create org"
            )

    def run(self, argv: Sequence[str], stdin: str = "") -> ProgramResult:
        return self._system.run(argv, stdin=stdin, env=QUIET)

    def run_checked(self, argv: Sequence[str], stdin: str = "") -> ProgramResult:
        """Run one command. Raises Refused when there is no such app, else ExternalError with its error."""
        ran = self.run(argv, stdin)
        if ran.code == 0:
            return ran
        error = _last_error(ran.err or ran.out)
        if APP_NOT_FOUND.search(error):
            raise Refused(
                f"There is no app {self._app} on Fly.io, or FLY_API_TOKEN is of another organisation. "
                f"Create it once: fly apps create {self._app}"
            )
        raise ExternalError(f"{' '.join(argv[:3])} failed: {error}")

    def read_json(self, what: str) -> Any:
        """Return the document that `flyctl <what> --json` prints; null is an empty list."""
        return _snake_case_keys(json.loads(self.run_checked(commands.show(what, self._app)).out or "null") or [])

    def run_streaming(self, argv: Sequence[str]) -> None:
        """Run a long command and show its output. Raises ReleaseFailed with its error."""
        lines: list[str] = []

        def show(line: str) -> None:
            lines.append(line)
            self._report.quote(line)

        ran = self._system.run(argv, env=QUIET, each=show)
        if ran.code:
            raise ReleaseFailed(f"{' '.join(argv[:2])} failed: {_last_error(chr(10).join(lines))}")


def _snake_case_keys(document: Any) -> Any:
    """Return a document, or a list of them, with keys such as image_ref; some versions of flyctl print ImageRef."""
    if isinstance(document, list):
        return [_snake_case_keys(item) for item in document]
    return {CAPITAL.sub("_", key).lower(): value for key, value in document.items()}


def _last_error(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error")]
    error = (errors or lines or ["it printed nothing"])[-1][:500]
    return TOKEN_HINT if UNAUTHORIZED.search(error) else error
