"""Runs checks and tests; behind `make test`, `make test-quick` and `make lint`."""

import argparse
import os
import shlex
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
BIN = Path(sys.executable).parent

LINT = {
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
    "spelling": ["typos"],
    # A cache for each version of Python: two environments would delete each other's.
    "types": ["mypy", "--cache-dir", f".mypy_cache/{sys.version_info.major}.{sys.version_info.minor}"],
    "imports": ["lint-imports", "--no-logo"],
    "frontend style": ["npm", "--prefix", "frontend", "run", "--silent", "lint"],
    "frontend types": ["npm", "--prefix", "frontend", "run", "--silent", "typecheck"],
}
FRONTEND_TESTS = ["npm", "--prefix", "frontend", "test", "--silent"]
COVERAGE = ROOT / ".data" / "coverage"
# One more than a small machine has cores: a third of their time tests wait, for servers, workers and browsers to start.
PYTEST = [sys.executable, "-m", "pytest", "--ignore=tests/stack"]
PARALLEL = ["--numprocesses", "3", "--dist", "worksteal"]
MEMORY = Path("/dev/shm")  # noqa: S108 (a folder of our own is made in it)
MEMORY_BYTES = 4 * 1024**3


def main() -> int:
    """Run the steps, stop at the first that fails, and say how long each took."""
    options = _parse_arguments()
    os.chdir(ROOT)
    os.environ["PATH"] = os.pathsep.join([str(BIN), os.environ.get("PATH", "")])
    for name in [name for name in os.environ if name in _setting_names()]:
        del os.environ[name]
    if options.only:
        return subprocess.run([*PYTEST, *shlex.split(options.only)], check=False).returncode
    started = time.monotonic()
    for name, command in LINT.items():
        step(name, command)
    if options.lint:
        return 0
    step("frontend tests", FRONTEND_TESTS)
    with temporary_files_in_memory():
        run_quick_tests() if options.quick else run_all_tests()
    print(f"test: everything passed in {time.monotonic() - started:.0f} s")
    return 0


def run_quick_tests() -> None:
    """Run the tests that need no slow part; the plugin reports what it leaves out."""
    step("quick tests", [*PYTEST, "--numprocesses", "2", "--dist", "worksteal", "-p", "tests.quick", "--quiet"])


def run_all_tests() -> None:
    """Run every test but those of the production stack, and check the coverage and the size of the frontend."""
    build_frontend()
    step("size of the first page", ["npm", "--prefix", "frontend", "run", "--silent", "size"])
    os.environ["BROWSER_PATH"] = browser_path()
    shutil.rmtree(COVERAGE, ignore_errors=True)
    COVERAGE.mkdir(parents=True)
    options = ["--cov", "--cov-report=", "--durations=10", "-o", "tmp_path_retention_policy=failed"]
    step("tests on real servers", [*PYTEST, *PARALLEL, *options])
    step("coverage", ["coverage", "report", "--skip-covered"])


def step(name: str, command: list[str]) -> None:
    """Run one step with its output shown; exit with its code when it fails."""
    print(f"test: {name} …", flush=True)
    started = time.monotonic()
    result = subprocess.run(command, check=False)
    if result.returncode != 0:
        print(f"test: {name} FAILED. To run it alone: {shlex.join(command)}", file=sys.stderr)
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


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--lint", action="store_true", help="run the checks without the tests")
    mode.add_argument("--quick", action="store_true", help="leave out tests that need PostgreSQL or other processes")
    mode.add_argument("--only", metavar="ARGUMENTS", help="run pytest with these arguments and nothing else")
    return parser.parse_args()


def _setting_names() -> set[str]:
    """Return the names of settings, which the developer's environment must not set for the tests."""
    from backend.settings import Settings

    return {*Settings.model_fields, *(f"{name}_FILE" for name in Settings.model_fields)}


if __name__ == "__main__":
    sys.exit(main())
