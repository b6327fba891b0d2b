"""Simulates flyctl: records the call, then runs the command on the state file. Standard library only."""

import os
import select
import sys
from pathlib import Path

from tests.simulators.flyctl.program.commands import Refused, parse
from tests.simulators.flyctl.program.handlers import HANDLERS
from tests.simulators.flyctl.program.machines import Failed
from tests.simulators.flyctl.program.output import print_error
from tests.simulators.flyctl.program.state import load, record

# Recorded with their values; of other FLY_ variables only the names are recorded.
PLAIN = ("FLY_APP", "FLY_SEND_METRICS", "FLY_NO_UPDATE_CHECK", "NO_COLOR")


def main(folder: Path, argv: list[str]) -> int:
    """Returns the exit code; 97 for a command that is not simulated."""
    stdin = read_stdin(argv)
    record(folder, {"argv": argv, "stdin": stdin, "env": chosen_environment()})
    try:
        command, flags, args = parse(argv)
        if command not in HANDLERS:
            print_error(f"simulator: flyctl {command} exists, but is not simulated")
            return 97
        if command != "version":
            require_session(folder, flags)
        return HANDLERS[command](folder, flags, args, stdin)
    except (Refused, Failed) as error:
        print_error(f"Error: {error}")
        return 1


def require_session(folder: Path, flags: dict[str, str]) -> None:
    """Refuse a missing or expired token."""
    token = flags.get("access-token") or os.environ.get("FLY_API_TOKEN") or os.environ.get("FLY_ACCESS_TOKEN")
    if not token:
        raise Refused("no access token available. Please login with 'flyctl auth login'")
    if token not in load(folder)["tokens"]:
        raise Refused("You must be authenticated to view this.")


def read_stdin(argv: list[str]) -> str:
    """Return standard input; wait for it only when the command reads it."""
    reads = argv[:2] == ["secrets", "import"]
    if not reads and (sys.stdin.isatty() or not select.select([sys.stdin], [], [], 0)[0]):
        return ""
    return sys.stdin.buffer.read().decode(errors="surrogateescape")


def chosen_environment() -> dict[str, str]:
    """Return the FLY_ names that are set, without the values of secrets."""
    names = [name for name in os.environ if name.startswith("FLY_") or name in PLAIN]
    return {name: os.environ[name] if name in PLAIN else "<set>" for name in sorted(names)}
