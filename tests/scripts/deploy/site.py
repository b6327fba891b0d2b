"""The site behind the stand-in's live URL: one real site for all tests, as each deployment's release would be it."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from scripts.valkey import embedded_valkey
from tests.conftest import settings_for
from tests.servers import LiveServer, WorkerProcess
from tests.simulators.app_platform.cloud import Cloud
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import ScriptedRunner

# Of one connection alone (RFC 9110, 7.6.1), or made anew by the server in front.
HOP = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


@contextmanager
def real_site(database_url: str, folder: Path) -> Iterator[str]:
    """Run web and worker with a page, and return their address. The Valkey is their own: others have workers too."""
    page = folder / "dist"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html><title>Slipway</title>")
    with embedded_valkey() as valkey_url:
        settings = settings_for(database_url, valkey_url, folder, FRONTEND_DIR=page)
        with LiveServer(settings) as server, WorkerProcess(settings, folder):
            yield server.url


@dataclass
class Front:
    """What the world sees of an app: the real site, with the commit and the faults of the active deployment's image."""

    cloud: Cloud
    app: App
    site: str
    runner: ScriptedRunner
    _http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self._http = httpx.AsyncClient(base_url=self.site, verify=False, timeout=httpx.Timeout(10, read=None))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        active = self.app.active
        digest = active.spec["services"][0]["image"]["digest"] if active else ""
        page = self.runner.pages.get((digest, f"{request.method} {request.url.path}"))
        response: Response
        if page:
            response = JSONResponse(page.body, page.status)
        else:
            response = await self._passed_on(request)
        if request.url.path == "/api/version" and isinstance(response, StreamingResponse):
            response = await self._with_commit(response, digest)
        await response(scope, receive, send)

    async def _passed_on(self, request: Request) -> StreamingResponse:
        """Return the site's answer as it comes. Host stays: the application compares it with Origin."""
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in HOP]
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        sent = self._http.build_request(request.method, path, headers=headers, content=await request.body())
        answer = await self._http.send(sent, stream=True)
        passed = StreamingResponse(self._body(answer), answer.status_code, background=BackgroundTask(answer.aclose))
        passed.raw_headers = [
            (name.lower(), value) for name, value in answer.headers.raw if name.decode().lower() not in HOP
        ]
        return passed

    async def _body(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in answer.aiter_raw():
                yield chunk
        finally:
            await answer.aclose()

    async def _with_commit(self, answer: StreamingResponse, digest: str) -> Response:
        document = json.loads(b"".join([bytes(chunk) async for chunk in answer.body_iterator]))  # type: ignore[arg-type]
        kept = {
            name: value for name, value in answer.headers.items() if name not in ("content-length", "content-encoding")
        }
        return JSONResponse(document | {"git_sha": self.runner.git_shas[digest]}, headers=kept)
