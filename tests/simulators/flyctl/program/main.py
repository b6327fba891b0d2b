"""Simulates flyctl: records the call, then does what the state file says. Standard library only."""

import os
import select
import sys
from pathlib import Path

from tests.simulators.flyctl.program.commands import Refused, parse
from tests.simulators.flyctl.program.handlers import HANDLERS
from tests.simulators.flyctl.program.machines import Failed
from tests.simulators.flyctl.program.output import complain
from tests.simulators.flyctl.program.state import load, record

# Written down as they are; of every other FLY_ name only that it is set.
PLAIN = ("FLY_APP", "FLY_SEND_METRICS", "FLY_NO_UPDATE_CHECK", "NO_COLOR")


def main(folder: Path, argv: list[str]) -> int:
    """Run one command and return its exit code."""
    stdin = read_stdin(argv)
    record(folder, {"argv": argv, "stdin": stdin, "env": chosen_environment()})
    try:
        command, flags, args = parse(argv)
        if command not in HANDLERS:
            complain(f"simulator: flyctl {command} is real, and not simulated")
            return 97
        if command != "version":
            require_session(folder, flags)
        return HANDLERS[command](folder, flags, args, stdin)
    except (Refused, Failed) as error:
        complain(f"Error: {error}")
        return 1


def require_session(folder: Path, flags: dict[str, str]) -> None:
    """Refuse without a token, and with one that has run out."""
    token = flags.get("access-token") or os.environ.get("FLY_API_TOKEN") or os.environ.get("FLY_ACCESS_TOKEN")
    if not token:
        raise Refused("no access token available. Please login with 'flyctl auth login'")
    if token not in load(folder)["tokens"]:
        raise Refused("You must be authenticated to view this.")


def read_stdin(argv: list[str]) -> str:
    """Return what was piped in; only a command that reads waits for it."""
    reads = argv[:2] == ["secrets", "import"]
    if not reads and (sys.stdin.isatty() or not select.select([sys.stdin], [], [], 0)[0]):
        return ""
    return sys.stdin.buffer.read().decode(errors="surrogateescape")


def chosen_environment() -> dict[str, str]:
    """Return the FLY_ names that are set, without the values of secrets."""
    names = [name for name in os.environ if name.startswith("FLY_") or name in PLAIN]
    return {name: os.environ[name] if name in PLAIN else "<set>" for name in sorted(names)}
