"""Replaces a service's containers one at a time: start a new one, wait until it is ready, drain an old one.

Each step depends only on the running containers, so after a crash it can be run again.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.stack.docker import Container, Stack, StackError, docker, image_id, logs, say
from scripts.stack.seats import offer, take_seat, withdraw

READY_SECONDS = 120
# Services that receive requests from the edge.
ROUTED = ("web", "frontend")


@dataclass(frozen=True, slots=True)
class Target:
    """The desired state of a service's containers."""

    service: str
    image: str
    settings: str
    count: int

    def fits(self, one: Container) -> bool:
        """Whether a container has this image and these settings."""
        return one.image == self.image and one.settings == self.settings


def roll(stack: Stack, service: str, image: str, release: Mapping[str, str], count: int) -> None:
    """Run `count` containers of a release. Raises StackError; the old containers then continue to serve."""
    target = Target(service, image_id(image), stack.settings_hash(), count)
    _resume(stack, target)
    # Limited, because containers that never match would be replaced endlessly.
    for _step in range(2 * count + len(stack.containers(service)) + 1):
        running = stack.containers(service)
        stale = [one for one in running if not target.fits(one)]
        if not stale and len(running) >= count:
            return
        # At most one extra container, because there is one extra name.
        if len(running) - len(stale) < count and len(running) <= count:
            _start_one(stack, target, release, len(running) + 1)
        else:
            _drain(service, stale[0])
    raise StackError(f"{service}: new containers do not match the release; did the settings change meanwhile?")


def _resume(stack: Stack, target: Target) -> None:
    """Resume an interrupted update: new containers serve when ready, others are removed."""
    running = stack.containers(target.service)
    interrupted = any(not target.fits(one) for one in running)
    for one in running:
        if interrupted and target.fits(one) and not one.ready:
            docker("rm", "--force", one.id)
            continue
        take_seat(stack, target.service, one)
        if target.fits(one) and one.ready and target.service in ROUTED:
            offer(one)


def _start_one(stack: Stack, target: Target, release: Mapping[str, str], scale: int) -> None:
    service = target.service
    before = {one.id for one in stack.containers(service)}
    started = time.monotonic()
    options = ("--detach", "--no-deps", "--no-recreate", "--scale", f"{service}={scale}")
    stack.compose("up", *options, service, release=release)
    (new,) = (one for one in stack.containers(service) if one.id not in before)
    if not _wait_until_ready(stack, service, new.id):
        last_lines = logs(new)
        docker("rm", "--force", new.id)
        raise StackError(f"{service}: the new container did not become ready\n{last_lines}")
    name = take_seat(stack, service, new)
    say(f"{service}: {name} is ready after {time.monotonic() - started:.1f} s")


def _wait_until_ready(stack: Stack, service: str, id: str) -> bool:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        (one,) = (one for one in stack.containers(service) if one.id == id)
        if one.ready:
            return True
        if one.state in ("exited", "dead", "restarting") or one.health == "unhealthy":
            return False
        time.sleep(0.2)
    return False


def _drain(service: str, old: Container) -> None:
    started = time.monotonic()
    if service in ROUTED and old.state == "running":
        withdraw(old)
    # Limited by the service's stop_grace_period; a worker finishes its jobs first.
    docker("stop", old.id)
    docker("rm", old.id)
    say(f"{service}: {old.name} was drained in {time.monotonic() - started:.1f} s")
