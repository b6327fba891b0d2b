"""Replaces a service's containers one at a time: start a new one, wait until it is ready, drain an old one.

It decides from what runs, not from what it did: after a crash in the middle, running it again goes on.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.stack.docker import Container, Stack, StackError, docker, image_id, logs, say
from scripts.stack.upstreams import route

READY_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Target:
    """What a service's containers shall be."""

    service: str
    image: str
    settings: str
    count: int

    def fits(self, one: Container) -> bool:
        """Whether a container is of this image and was made with these settings."""
        return one.image == self.image and one.settings == self.settings


def roll(stack: Stack, service: str, image: str, release: Mapping[str, str], count: int) -> None:
    """Bring a service to `count` containers of a release. Raises StackError, with the old ones serving as before."""
    target = Target(service, image_id(image), stack.settings_hash(), count)
    for one in stack.containers(service):
        # Left by an update that was interrupted.
        if target.fits(one) and not one.ready:
            docker("rm", "--force", one.id)
    for _step in range(count + len(stack.containers(service)) + 1):
        running = stack.containers(service)
        stale = [one for one in running if not target.fits(one)]
        if not stale and len(running) >= count:
            route(stack, service)
            return
        if len(running) - len(stale) < count:
            _start_one(stack, target, release, len(running) + 1)
        if stale:
            _drain(stack, service, stale[0])
    raise StackError(f"{service}: new containers are not what they should be; were the settings changed meanwhile?")


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
    say(f"{service}: {new.name} is ready after {time.monotonic() - started:.1f} s")
    route(stack, service)


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


def _drain(stack: Stack, service: str, old: Container) -> None:
    route(stack, service, without=old)
    started = time.monotonic()
    # The service's stop_grace_period bounds this; a worker finishes its jobs first.
    docker("stop", old.id)
    docker("rm", old.id)
    say(f"{service}: {old.name} was drained in {time.monotonic() - started:.1f} s")
