"""Runs every check and test, in the order of the time they take; behind `make test` and `make lint`."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
    "frontend types": ["npm", "run", "--silent", "typecheck"],
    "frontend tests": ["npm", "test", "--silent"],
}
COVERAGE = ROOT / ".data" / "coverage"
# One more than a small machine has cores: a third of their time tests wait, for servers, workers and browsers to start.
PYTEST = [
    "pytest",
    "--numprocesses",
    "3",
    "--dist",
    "worksteal",
    "--cov",
    "--cov-report=",
    "--durations=10",
    "--ignore=tests/stack",
]
MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of our own is made in it)
MEMORY_BYTES = 4 * 1024**3


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
    with temporary_files_in_memory():
        step("tests on real servers", [*PYTEST, "-o", "tmp_path_retention_policy=failed"])
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


@contextmanager
def temporary_files_in_memory() -> Iterator[None]:
    """Keep what the tests write off the disk where memory has room: they make a thousand databases."""
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < MEMORY_BYTES:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="tests-", dir=MEMORY, ignore_cleanup_errors=True) as folder:
        # PostgreSQL runs as another user when we are root, and its folder lies in this one.
        Path(folder).chmod(0o711)
        os.environ["TMPDIR"] = folder
        yield


def _setting_names() -> set[str]:
    """Return names that would leak from the person's environment into the tests."""
    from backend.settings import Settings

    return {*Settings.model_fields, *(f"{name}_FILE" for name in Settings.model_fields)}


if __name__ == "__main__":
    sys.exit(main())
