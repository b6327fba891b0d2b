"""The stack's calls to Docker: Compose commands, and the state of containers."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE_FILE = ROOT / "docker" / "compose.production.yaml"


class StackError(Exception):
    """An error with a message for the operator."""


@dataclass(frozen=True, slots=True)
class Container:
    """One container's state in Docker."""

    id: str
    name: str
    image: str
    settings: str
    state: str
    health: str

    @property
    def ready(self) -> bool:
        return self.state == "running" and self.health == "healthy"


@dataclass(frozen=True, slots=True)
class Stack:
    """One Compose project and the folder of its settings and secrets; `extra` are additional Compose files."""

    folder: Path
    name: str = "slipway"
    extra: tuple[Path, ...] = ()

    def compose(self, *arguments: str, release: Mapping[str, str]) -> str:
        """Run `docker compose` with a release's images and return its output. Raises StackError with its output."""
        files = [word for path in (COMPOSE_FILE, *self.extra) for word in ("--file", str(path))]
        command = ["docker", "compose", "--env-file", str(self.folder / "settings.env"), *files, *arguments]
        names = {"STACK_DIR": str(self.folder), "STACK_NAME": self.name, "SETTINGS_HASH": self.settings_hash()}
        environment = {**os.environ, **names, **release}
        result = subprocess.run(
            command, env=environment, check=False, stdin=subprocess.DEVNULL, capture_output=True, text=True
        )
        if result.returncode:
            lines = (result.stdout + result.stderr).strip().splitlines()
            raise StackError("\n".join([f"docker compose {' '.join(arguments)} failed:", *lines[-40:]]))
        return result.stdout

    def settings_hash(self) -> str:
        """Return a hash of settings, secrets and Compose files; a change means that containers must be replaced."""
        files = [self.folder / "settings.env", *(self.folder / "secrets").iterdir(), COMPOSE_FILE, *self.extra]
        parts = (f"{path.name}\0".encode() + path.read_bytes() for path in sorted(files))
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def containers(self, service: str) -> list[Container]:
        """Return a service's containers, oldest first, without those of `compose run`."""
        labels = (f"com.docker.compose.project={self.name}", f"com.docker.compose.service={service}")
        filters = [
            word for label in (*labels, "com.docker.compose.oneoff=False") for word in ("--filter", f"label={label}")
        ]
        ids = docker("ps", "--all", "--quiet", *filters).split()
        if not ids:
            return []
        described = sorted(json.loads(docker("inspect", *ids)), key=lambda one: one["Created"])
        return [_container(one) for one in described]


def _container(described: dict[str, Any]) -> Container:
    state = described["State"]
    return Container(
        id=described["Id"],
        name=described["Name"].lstrip("/"),
        image=described["Image"],
        settings=described["Config"]["Labels"].get("slipway.settings", ""),
        state=state["Status"],
        health=state.get("Health", {}).get("Status", "healthy"),
    )


def logs(container: Container) -> str:
    """Return the last lines of a container's log."""
    command = ["docker", "logs", "--tail", "40", container.id]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return result.stdout.strip()


def docker(*arguments: str) -> str:
    """Run docker and return its output. Raises StackError with its error output."""
    result = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise StackError(f"docker {' '.join(arguments[:3])}: {result.stderr.strip()}")
    return result.stdout


def image_id(name: str) -> str:
    """Return the id of an image; pull it if it is missing. Raises StackError."""
    if subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False).returncode:
        docker("pull", "--quiet", name)
    return docker("image", "inspect", "--format", "{{.Id}}", name).strip()


def say(message: str) -> None:
    print(f"stack: {time.strftime('%H:%M:%S')} {message}", file=sys.stdout, flush=True)
