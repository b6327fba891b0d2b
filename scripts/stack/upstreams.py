"""Tells the edge which containers to send requests to, by a file it reads again without dropping a connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.stack.docker import Container, Stack, StackError, docker

PORTS = {"web": 8000, "frontend": 8080}
RELOAD = ("caddy", "reload", "--address", "unix//tmp/caddy-admin.sock", "--config", "/etc/caddy/Caddyfile")


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Let the edge keep no idle connections of HTTP/1.1 for the length of the block, since new lists would cut them."""
    sign = folder / "upstreams" / "update-under-way"
    sign.touch(mode=0o644)
    try:
        yield
    finally:
        sign.unlink()


def route(stack: Stack, service: str, without: Container | None = None) -> None:
    """Send requests to a service's ready containers; `without` gets no more. Raises StackError.

    What is under way to a container that is left out goes on, in the edge's old configuration.
    """
    if service not in PORTS:
        return
    names = [one.name for one in stack.containers(service) if one.ready and (not without or one.id != without.id)]
    if not names:
        raise StackError(f"{service}: no container is ready, so the edge keeps its list")
    if write_upstreams(stack.folder, service, names):
        for edge in stack.containers("edge"):
            if edge.state == "running":
                docker("exec", edge.id, *RELOAD)


def write_upstreams(folder: Path, service: str, names: list[str]) -> bool:
    """Write the list the edge reads; return whether it changed."""
    path = folder / "upstreams" / service
    text = "to " + " ".join(f"{name}:{PORTS[service]}" for name in sorted(names)) + "\n"
    if path.exists() and path.read_text() == text:
        return False
    # Another name first: the edge never reads half a list.
    part = path.with_suffix(".new")
    part.write_text(text)
    part.chmod(0o644)
    part.replace(path)
    return True
