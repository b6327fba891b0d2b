"""Installs the flyctl simulator on PATH, and lets a test set its outcomes and read its calls."""

import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.simulators.flyctl.program.state import State, changing, load
from tests.time_limits import scaled

ROOT = Path(__file__).resolve().parents[3]
TOKEN = "fly-test-token"
# -IS ignores site-packages and environment variables: three times faster, and isolated.
SCRIPT = """#!{python} -IS
import sys
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.simulators.flyctl.program.main import main
sys.exit(main(Path({folder!r}), sys.argv[1:]))
"""


@dataclass
class Flyctl:
    """One test's Fly.io: its state, its recorded calls and its next outcomes."""

    folder: Path
    token: str = TOKEN

    @property
    def environment(self) -> dict[str, str]:
        """The tool's environment: the simulator is first on PATH, and the token is valid."""
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        return {**os.environ, "PATH": path, "FLY_API_TOKEN": self.token}

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Each call: argv, stdin and the names of FLY_ variables that were set."""
        record = self.folder / "calls.jsonl"
        return [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []

    @property
    def argvs(self) -> list[list[str]]:
        return [call["argv"] for call in self.calls]

    def app(self, name: str) -> dict[str, Any]:
        app: dict[str, Any] = load(self.folder)["apps"][name]
        return app

    @contextmanager
    def changing(self) -> Iterator[State]:
        with changing(self.folder) as state:
            yield state

    def push(self, image: str, digest: str) -> None:
        """Add an image to Fly's registry."""
        with self.changing() as state:
            state["images"][image] = digest

    def outcome(self, kind: str, log: str = "") -> None:
        """Set the next deploy's outcome: ok, release_command_fails, never_healthy, half_done or hangs."""
        with self.changing() as state:
            state["outcomes"].append({"outcome": kind, "log": log})

    def expire_token(self) -> None:
        """Refuse every token from now on."""
        with self.changing() as state:
            state["tokens"] = []

    def add_app(self, name: str, image: str, digest: str, groups: tuple[str, ...] = ("app", "app", "worker")) -> None:
        """Add an app whose first release runs on one Machine for each given group."""
        self.push(image, digest)
        machines = [
            {"id": f"{name}-{number}", "group": group, "image": image, "digest": digest, "version": 1, "healthy": True}
            for number, group in enumerate(groups)
        ]
        release = {"id": "rel_1", "version": 1, "stable": True, "in_progress": False, "status": "complete"}
        more = {"strategy": "ROLLING", "user": "deploy-token", "created_at": "2026-01-01T00:00:00Z", "image_ref": image}
        app = {"name": name, "machines": machines, "releases": [release | more], "secrets": {}, "config": {}}
        with self.changing() as state:
            state["apps"][name] = app | {"logs": [], "release_commands": [], "restarts": 0}

    def wait_for_release(self, name: str, status: str, seconds: float = 10) -> None:
        """Wait until the newest release has a status; use `running` before sending Ctrl-C to a deploy that hangs."""
        deadline = time.monotonic() + scaled(seconds)
        while self.app(name)["releases"][-1]["status"] != status:
            assert time.monotonic() < deadline, f"no release became {status}"
            time.sleep(0.01)


def install_flyctl(folder: Path) -> Flyctl:
    """Write the program into the test's folder."""
    state = {"apps": {}, "images": {}, "outcomes": [], "tokens": [TOKEN], "salt": secrets.token_hex(8)}
    (folder / "state.json").write_text(json.dumps(state))
    program = folder / "bin" / "flyctl"
    program.parent.mkdir()
    program.write_text(SCRIPT.format(python=sys.executable, root=str(ROOT), folder=str(folder)))
    program.chmod(0o755)
    # Both names are in use.
    (folder / "bin" / "fly").symlink_to(program)
    return Flyctl(folder)
