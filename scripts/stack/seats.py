"""Fixed container names that the edge sends requests to ("seats"), and the drain file that stops new requests.

The edge checks the health of each name every second (docker/edge/Caddyfile), so its configuration never changes.
"""

import string
import time

from scripts.stack.docker import Container, Stack, StackError, docker

DRAIN_FILE = "/tmp/drain"  # noqa: S108
# The edge checks once per second, with a timeout of two seconds.
DRAIN_SECONDS = 3.5


def take_seat(stack: Stack, service: str, one: Container) -> str:
    """Rename a container to the first free name of its service, such as `slipway-web-a`. Raises StackError."""
    names = [f"{stack.name}-{service}-{letter}" for letter in string.ascii_lowercase]
    if one.name in names:
        return one.name
    taken = {other.name for other in stack.containers(service)}
    free = next((name for name in names if name not in taken), None)
    if free is None:
        raise StackError(f"{service}: no container name is free; see the running containers with: make stack-status")
    docker("rename", one.id, free)
    return free


def offer(one: Container) -> None:
    """Let the edge send requests to a container, even if an interrupted update started to drain it."""
    docker("exec", one.id, "rm", "-f", DRAIN_FILE)


def withdraw(one: Container) -> None:
    """Stop new requests from the edge to a container, and wait until that has taken effect."""
    docker("exec", one.id, "touch", DRAIN_FILE)
    time.sleep(DRAIN_SECONDS)
