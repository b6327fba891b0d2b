"""Serves ASGI applications in threads on 127.0.0.1."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from tests.time_limits import scaled


@dataclass(frozen=True)
class Page:
    """A prepared response."""

    status: int
    body: Any


class PromptServer(uvicorn.Server):
    """Stops at once; uvicorn's own loop checks only ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def main_loop(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.ready.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Close at once; uvicorn waits a tenth of a second for idle connections."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)


@contextmanager
def serve(app: ASGIApp) -> Iterator[str]:
    """Serve an ASGI application in a thread; yield its address."""
    server = PromptServer(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", proxy_headers=False, ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.ready.wait(scaled(10)), "the server did not start"
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.end()
    thread.join(scaled(10))
