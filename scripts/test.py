"""Runs every check and test, in the order of the time they take; behind `make test` and `make lint`."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from scripts.browser import browser_path
from scripts.build_frontend import build_frontend

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"

LINT = {
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "types": ["mypy"],
    "imports": ["lint-imports", "--no-logo"],
}
FRONTEND = {
    "frontend style": ["npm", "run", "--silent", "lint"],
    "frontend tests": ["npm", "test", "--silent"],
}
COVERAGE = ROOT / ".data" / "coverage"
PYTEST = ["pytest", "--numprocesses", "2", "--dist", "worksteal", "--cov", "--cov-report=", "--durations=10"]


def main() -> int:
    """Run the steps, stop at the first that fails, and say how long each took."""
    os.chdir(ROOT)
    os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    for name in [name for name in os.environ if name in _setting_names()]:
        del os.environ[name]
    started = time.monotonic()
    for name, command in LINT.items():
        step(name, command)
    if "--lint" in sys.argv:
        return 0
    for name, command in FRONTEND.items():
        step(name, command, ROOT / "frontend")
    build_frontend()
    step("size of the first page", ["npm", "run", "--silent", "size"], ROOT / "frontend")
    os.environ["BROWSER_PATH"] = browser_path()
    shutil.rmtree(COVERAGE, ignore_errors=True)
    COVERAGE.mkdir(parents=True)
    step("tests on real servers", PYTEST)
    step("coverage", ["coverage", "report", "--skip-covered"])
    print(f"test: everything passed in {time.monotonic() - started:.0f} s")
    return 0


def step(name: str, command: list[str], folder: Path = ROOT) -> None:
    """Run one step with its output shown; exit with its code when it fails."""
    print(f"test: {name} …", flush=True)
    started = time.monotonic()
    result = subprocess.run(command, cwd=folder, check=False)
    if result.returncode != 0:
        print(f"test: {name} FAILED. To see it alone: {' '.join(command)}", file=sys.stderr)
        sys.exit(result.returncode)
    print(f"test: {name} passed in {time.monotonic() - started:.0f} s", flush=True)


def _setting_names() -> set[str]:
    """Return names that would leak from the person's environment into the tests."""
    from backend.settings import Settings

    return {*Settings.model_fields, *(f"{name}_FILE" for name in Settings.model_fields)}


if __name__ == "__main__":
    sys.exit(main())
