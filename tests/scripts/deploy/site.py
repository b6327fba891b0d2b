"""A real site for the deploy tool's smoke test, behind a proxy that changes its commit and responses."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from scripts.valkey import embedded_valkey
from tests.conftest import settings_for
from tests.servers import LiveServer, WorkerProcess
from tests.simulators.serving import Page

# Headers of one connection only (RFC 9110, 7.6.1), or set by the proxy's own server.
HOP = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


@contextmanager
def real_site(database_url: str, folder: Path) -> Iterator[str]:
    """Run web and worker with a page and their own Valkey; yield the address."""
    page = folder / "dist"
    page.mkdir()
    (page / "index.html").write_text("<!doctype html><title>Slipway</title>")
    with embedded_valkey() as valkey_url:
        settings = settings_for(database_url, valkey_url, folder, FRONTEND_DIR=page)
        with LiveServer(settings) as server, WorkerProcess(settings, folder):
            yield server.url


class Releases(Protocol):
    """For each image (digest): its commit, and prepared responses by "METHOD /path"."""

    git_shas: dict[str, str]
    pages: dict[tuple[str, str], Page]


@dataclass
class Proxy:
    """ASGI application: the real site with the commit and the prepared responses of the live image."""

    site: str
    releases: Releases
    # Returns the digest of the live image.
    live_digest: Callable[[], str]
    _http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self._http = httpx.AsyncClient(base_url=self.site, verify=False, timeout=httpx.Timeout(10, read=None))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        digest = self.live_digest()
        page = self.releases.pages.get((digest, f"{request.method} {request.url.path}"))
        response: Response
        if page:
            response = JSONResponse(page.body, page.status)
        else:
            response = await self._forward(request)
        if request.url.path == "/api/version" and isinstance(response, StreamingResponse):
            response = await self._with_commit(response, digest)
        await response(scope, receive, send)

    async def _forward(self, request: Request) -> StreamingResponse:
        """Return the site's response. Host is kept, because the application compares it with Origin."""
        headers = [(name, value) for name, value in request.headers.raw if name.decode() not in HOP]
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        sent = self._http.build_request(request.method, path, headers=headers, content=await request.body())
        response = await self._http.send(sent, stream=True)
        forwarded = StreamingResponse(
            self._body(response), response.status_code, background=BackgroundTask(response.aclose)
        )
        forwarded.raw_headers = [
            (name.lower(), value) for name, value in response.headers.raw if name.decode().lower() not in HOP
        ]
        return forwarded

    async def _body(self, response: httpx.Response) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.aiter_raw():
                yield chunk
        finally:
            await response.aclose()

    async def _with_commit(self, response: StreamingResponse, digest: str) -> Response:
        chunks = [bytes(chunk) async for chunk in response.body_iterator]  # type: ignore[arg-type]
        document = json.loads(b"".join(chunks))
        kept = {
            name: value
            for name, value in response.headers.items()
            if name not in ("content-length", "content-encoding")
        }
        return JSONResponse(document | {"git_sha": self.releases.git_shas[digest]}, headers=kept)
