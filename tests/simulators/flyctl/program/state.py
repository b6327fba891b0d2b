"""The state file and the record of calls, shared between the simulator's processes and the test."""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

State = dict[str, Any]


def load(folder: Path) -> State:
    state: State = json.loads((folder / "state.json").read_text())
    return state


@contextmanager
def changing(folder: Path) -> Iterator[State]:
    """Yield the state and save it, also after an error; other processes wait."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        state = load(folder)
        try:
            yield state
        finally:
            fresh = folder / "state.json.new"
            fresh.write_text(json.dumps(state, indent=1))
            fresh.replace(folder / "state.json")


def record(folder: Path, call: dict[str, Any]) -> None:
    """Append a call to the record, one line each."""
    with (folder / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(call) + "\n")
