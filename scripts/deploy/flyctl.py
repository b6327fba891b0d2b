"""Runs flyctl for one app and reads what it prints."""

import json
import os
from collections.abc import Sequence
from typing import Any

from scripts.deploy import fly_commands
from scripts.deploy.errors import OutsideError, Refused, ReleaseFailed
from scripts.deploy.outside import Outside, Ran
from scripts.deploy.report import Report

# No questions about updates, no figures about the person, no colours in logs.
QUIET = {"FLY_NO_UPDATE_CHECK": "1", "FLY_SEND_METRICS": "0", "NO_COLOR": "1"}
LAST_LINES = 60


class Flyctl:
    """flyctl with the token of FLY_API_TOKEN, which it reads itself. Raises Refused without one."""

    def __init__(self, outside: Outside, report: Report, app: str) -> None:
        self._outside = outside
        self._report = report
        self._app = app
        self.token = os.environ.get("FLY_API_TOKEN", "")
        if not self.token:
            raise Refused(
                "FLY_API_TOKEN is not set. Make one for the organisation, and export it: fly tokens create org"
            )

    def run(self, argv: Sequence[str], stdin: str = "") -> Ran:
        """Run one command and return how it ended. Raises OutsideError when it can't be started."""
        return self._outside.run(argv, stdin=stdin, env=QUIET)

    def expect(self, argv: Sequence[str], stdin: str = "") -> Ran:
        """Run one command. Raises OutsideError with its last words when it fails."""
        ran = self.run(argv, stdin)
        if ran.code:
            raise OutsideError(f"{' '.join(argv[:3])} failed: {_last_words(ran.err or ran.out)}")
        return ran

    def shown(self, what: str) -> Any:
        """Return what `flyctl <what> --json` says; null is an empty list."""
        return json.loads(self.expect(fly_commands.show(what, self._app)).out or "null") or []

    def watch(self, argv: Sequence[str]) -> None:
        """Run a long command and show its lines. Raises ReleaseFailed with the last of them when it fails."""
        lines: list[str] = []

        def show(line: str) -> None:
            lines.append(line)
            self._report.quote(line)

        ran = self._outside.run(argv, env=QUIET, each=show)
        if ran.code:
            raise ReleaseFailed(f"{' '.join(argv[:2])} failed: {_last_words(chr(10).join(lines))}")


def _last_words(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("Error")]
    return (errors or lines or ["it said nothing"])[-1][:500]
