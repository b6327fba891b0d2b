"""Manages the production stack on this host: `python3 -m scripts.stack up|update|status`. Standard library only."""

import argparse
import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.images import default_tag, image_name
from scripts.stack.docker import ROOT, Stack, StackError, image_id, say
from scripts.stack.rolling import roll
from scripts.stack.seats import take_seat

SERVICES = ("web", "frontend", "worker", "beat")
UP = ("up", "--detach", "--wait", "--wait-timeout", "300")
COUNTS = {"web": 2, "frontend": 1, "worker": 2, "beat": 1}


def main() -> int:
    """Run the command. Returns 1 when it failed."""
    options = _options()
    stack = Stack(
        folder=Path(os.environ.get("STACK_DIR", ROOT / ".production")).resolve(),
        name=os.environ.get("STACK_NAME", "slipway"),
        extra=tuple(Path(path).resolve() for path in os.environ.get("STACK_FILES", "").split(":") if path),
    )
    if not (stack.folder / "settings.env").exists():
        print(f"stack: {stack.folder} has no settings.env. Create it with: scripts/make-secrets", file=sys.stderr)
        return 1
    try:
        if options.command == "status":
            return _status(stack)
        started = time.monotonic()
        with _alone(stack):
            release = start(stack, options.tag) if options.command == "up" else update(stack, options.tag)
    except (StackError, subprocess.CalledProcessError) as error:
        print(f"stack: {error}", file=sys.stderr)
        return 1
    say(f"runs {release['APP_IMAGE']}, after {time.monotonic() - started:.0f} s")
    return 0


def start(stack: Stack, tag: str | None) -> dict[str, str]:
    """Start the stack, or apply changed settings to a running one without downtime. Raises StackError."""
    serves = any(one.state == "running" for one in stack.containers("web"))
    running = _read_release(stack)
    release = running if running and not tag else _pulled(tag)
    if serves and running:
        _replace(stack, release, running)
        _start_others(stack, release)
    else:
        say("starting")
        stack.compose(*UP, release=release)
    for service in SERVICES:
        for one in stack.containers(service):
            take_seat(stack, service, one)
    _save_release(stack, release)
    return release


def _start_others(stack: Stack, release: dict[str, str]) -> None:
    """Apply changed settings to the other services. Each changed one is unavailable for about a second."""
    listed = stack.compose("config", "--services", release=release).split()
    others = [service for service in listed if service not in (*SERVICES, "migrate")]
    stack.compose(*UP, "--no-deps", *others, release=release)
    # Without --no-recreate, Compose would replace containers again that were created without their dependencies.
    stack.compose(*UP, "--no-deps", "--no-recreate", *SERVICES, release=release)


def update(stack: Stack, tag: str | None) -> dict[str, str]:
    """Replace the running release without downtime. Raises StackError."""
    running = _read_release(stack)
    if not running:
        raise StackError(f"{stack.folder} has no release.env: nothing runs yet. Start it with: make stack-up")
    release = _pulled(tag)
    _replace(stack, release, running)
    _save_release(stack, release)
    return release


def _replace(stack: Stack, release: dict[str, str], running: dict[str, str]) -> None:
    """Migrate, then replace each container; roll back when that fails. Raises StackError."""
    say("migrating")
    stack.compose("run", "--rm", "--no-deps", "-T", "migrate", release=release)
    try:
        _roll_all(stack, release)
    except StackError as error:
        if release != running:
            say(f"rolling back to {running['APP_IMAGE']}, because {str(error).splitlines()[0]}")
            _roll_all(stack, running)
        raise


def _roll_all(stack: Stack, release: dict[str, str]) -> None:
    for service in SERVICES:
        image = release["WEB_IMAGE" if service == "frontend" else "APP_IMAGE"]
        roll(stack, service, image, release, COUNTS[service])


def _pulled(tag: str | None) -> dict[str, str]:
    """Pull a release's images, by default this commit's, and return the variables with their names."""
    tag = tag or default_tag()
    release = {"APP_IMAGE": image_name("app", tag), "WEB_IMAGE": image_name("web", tag)}
    for image in release.values():
        image_id(image)
    return release


@contextmanager
def _alone(stack: Stack) -> Iterator[None]:
    """Allow only one start or update at a time. Raises StackError."""
    with (stack.folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError("another start or update is in progress; wait until it has finished") from None
        yield


def _save_release(stack: Stack, release: dict[str, str]) -> None:
    text = "".join(f"{name}={value}\n" for name, value in release.items())
    # Written to another name first, so that the last release stays known after a crash.
    part = stack.folder / "release.new"
    part.write_text(text)
    part.replace(stack.folder / "release.env")


def _read_release(stack: Stack) -> dict[str, str]:
    """Return the running release; empty before the first successful start."""
    path = stack.folder / "release.env"
    return dict(line.split("=", 1) for line in path.read_text().splitlines()) if path.exists() else {}


def _status(stack: Stack) -> int:
    for service in ("edge", *SERVICES, "postgres", "valkey"):
        for one in stack.containers(service):
            print(f"{one.name:24} {one.state:10} {one.health:10} {one.image[7:19]}")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stack", description="The production stack on this host.")
    parser.add_argument("command", choices=("up", "update", "status"))
    parser.add_argument("--tag", help="tag of the images, default sha-<commit>")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
