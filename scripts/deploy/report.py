"""Prints a command's progress, and its result as text or as one JSON document."""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(slots=True)
class Phase:
    """One part of a command, its duration in seconds, and its status: `ok` or `failed`."""

    name: str
    seconds: float
    status: str


class Report:
    """The progress of one command; with `as_json` it goes to stderr, and the document to stdout."""

    def __init__(self, command: str, environment: str, platform: str, *, as_json: bool, clock: Callable[[], float]):
        self.facts: dict[str, Any] = {"command": command, "environment": environment, "platform": platform}
        self.phases: list[Phase] = []
        self._as_json = as_json
        self._clock = clock
        self._started = clock()

    def say(self, message: str) -> None:
        print(message, file=sys.stderr if self._as_json else sys.stdout, flush=True)

    def quote(self, text: str) -> None:
        """Print another program's output without control characters or lines that a CI service would execute."""
        for line in text.splitlines():
            self.say("  | " + "".join(char if char.isprintable() else " " for char in line))

    @contextmanager
    def phase(self, name: str) -> Iterator[Phase]:
        """Measure and print one part of the command; the caller may set its status."""
        self.say(f"{time.strftime('%H:%M:%S')} {name} …")
        started, phase = self._clock(), Phase(name, 0, "ok")
        self.phases.append(phase)
        try:
            yield phase
        except BaseException:
            phase.status = "failed"
            raise
        finally:
            phase.seconds = round(self._clock() - started, 1)
            self.say(f"{time.strftime('%H:%M:%S')} {name}: {phase.status}, {phase.seconds:.1f} s")

    def end(self, exit_code: int, message: str) -> int:
        total = self._clock() - self._started
        print(f"{self.facts['command']}: {message} ({total:.0f} s)", file=sys.stderr if exit_code else self._stream())
        if self._as_json:
            ending = {"ok": exit_code == 0, "exit_code": exit_code, "message": message}
            phases = [asdict(phase) for phase in self.phases]
            print(json.dumps({**self.facts, **ending, "phases": phases}, indent=2))
        return exit_code

    def _stream(self) -> Any:
        return sys.stderr if self._as_json else sys.stdout
