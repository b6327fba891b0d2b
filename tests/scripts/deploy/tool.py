"""Runs the deploy tool in the test's process with a simulated clock, and checks the result."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.deploy.__main__ import main
from scripts.deploy.system import ProgramResult, System


class Clock:
    """Time that passes only when the tool waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waited: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waited.append(seconds)


class RecordingSystem(System):
    """Also records the programs that were run."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.sleep, clock)
        self.programs: list[str] = []

    def run(self, argv: Any, **more: Any) -> ProgramResult:
        self.programs.append(" ".join(argv))
        return super().run(argv, **more)


@dataclass(frozen=True)
class Ended:
    """A command's exit code and output."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def document(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


def run_tool(argv: list[str], system: System, capture: pytest.CaptureFixture[str]) -> Ended:
    capture.readouterr()
    code = main(argv, system)
    captured = capture.readouterr()
    # The real site logs to the same streams, one JSON object per line.
    out, err = (
        "".join(line for line in text.splitlines(keepends=True) if not line.startswith('{"'))
        for text in (captured.out, captured.err)
    )
    return Ended(code, out, err)


def write_variables(path: Path, values: dict[str, str]) -> str:
    """Write a file of variables that only its owner can read, and return its path."""
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    path.chmod(0o600)
    return str(path)


def assert_ended(ended: Ended, code: int, *, out: str = "", err: str = "") -> None:
    """Check the exit code and the output; a failure shows the whole output."""
    assert ended.code == code, f"exit code {ended.code} instead of {code}:\n{ended.text}"
    assert out in ended.out, f"{out!r} is not in stdout:\n{ended.text}"
    assert err in ended.err, f"{err!r} is not in stderr:\n{ended.text}"
