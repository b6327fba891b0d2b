"""The seats of a service's containers: names the edge knows, and the file that tells it to send no new requests.

The edge asks each seat every second whether it wants requests (docker/edge/Caddyfile), so nothing has to be told to it.
"""

import string
import time

from scripts.stack.docker import Container, Stack, StackError, docker

DRAIN_FILE = "/tmp/drain"  # noqa: S108
# The edge asks once a second, and may wait two for the answer.
NOTICED_SECONDS = 3.5


def take_seat(stack: Stack, service: str, one: Container) -> str:
    """Give a container the first free name of its service, like `slipway-web-a`; return it."""
    names = [f"{stack.name}-{service}-{letter}" for letter in string.ascii_lowercase]
    if one.name in names:
        return one.name
    taken = {other.name for other in stack.containers(service)}
    free = next((name for name in names if name not in taken), None)
    if free is None:
        raise StackError(f"{service}: no seat is free; see what runs with: make stack-status")
    docker("rename", one.id, free)
    return free


def offer(one: Container) -> None:
    """Let the edge send requests to a container, also when an interrupted update had begun to drain it."""
    docker("exec", one.id, "rm", "-f", DRAIN_FILE)


def withdraw(one: Container) -> None:
    """Let the edge send no new requests to a container, and wait until it noticed."""
    docker("exec", one.id, "touch", DRAIN_FILE)
    time.sleep(NOTICED_SECONDS)
