"""Serves the stand-in, and the apps that are live on it, on sockets of 127.0.0.1."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from socket import socket

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.simulators.app_platform.cloud import Cloud
from tests.simulators.app_platform.face import Face, Seen
from tests.simulators.app_platform.faults import Faults
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import Runner, ScriptedRunner
from tests.simulators.app_platform.spec import Spec


@dataclass
class StandIn:
    """The App Platform of one test: `url` for the tool, the rest for the test."""

    cloud: Cloud
    face: Face
    stack: ExitStack
    token: str = "do-test-token"

    def __post_init__(self) -> None:
        self.cloud.site = lambda app: self.stack.enter_context(served(Site(self.cloud, app)))

    @property
    def url(self) -> str:
        """Where the API answers."""
        return self.face.url

    @property
    def faults(self) -> Faults:
        """The troubles to come."""
        return self.face.faults

    @property
    def violations(self) -> list[str]:
        """What the tool, or the stand-in, did against the contract."""
        return self.face.violations

    def add_app(self, spec: Spec, live_url: str = "") -> App:
        """Add an app that is live at the address given, or at one where the runner answers."""
        app = self.cloud.add_app(spec, live_url)
        app.live_url = live_url or self.cloud.site(app)
        return app

    def seen(self, method: str, ending: str = "") -> list[Seen]:
        """Return the requests of a method whose path ends so."""
        return [seen for seen in self.face.seen if seen.method == method and seen.path.endswith(ending)]


@dataclass
class Site:
    """What the world sees of an app: the runner answers for its active deployment."""

    cloud: Cloud
    app: App

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        active = self.app.active
        assert active is not None, "an app is added with an active deployment"
        spec = self.cloud.vault.decrypt(active.spec)
        answer = self.cloud.runner.answer(active.id, spec, Request(scope).url.path)
        is_text = isinstance(answer.body, str)
        response = Response(answer.body, answer.status, media_type="text/html") if is_text else None
        await (response or JSONResponse(answer.body, answer.status))(scope, receive, send)


@contextmanager
def app_platform(runner: Runner | None = None) -> Iterator[StandIn]:
    """Serve an App Platform of its own; what was done against the contract fails the test at the end."""
    cloud = Cloud(runner or ScriptedRunner())
    face = Face(cloud)
    with ExitStack() as stack:
        face.url = stack.enter_context(served(face))
        yield StandIn(cloud, face, stack)
    assert not face.violations, "\n".join(face.violations)


class PromptServer(uvicorn.Server):
    """Ends at once when told to; uvicorn's own loop looks ten times a second, which is long for a test."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def main_loop(self) -> None:
        """Wait for the end."""
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.ready.set()
        await self._ended.wait()

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Close without the tenth of a second uvicorn gives to connections that are idle."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()

    def end(self) -> None:
        """Stop serving."""
        self._loop.call_soon_threadsafe(self._ended.set)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an ASGI application in a thread and return its address."""
    server = PromptServer(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", proxy_headers=False, ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.ready.wait(10), "the server did not start"
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.end()
    thread.join(10)
