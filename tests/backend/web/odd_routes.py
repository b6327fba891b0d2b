"""Extra routes for tests: some fail, one accepts a body, some return a page."""

from collections.abc import Iterator
from typing import Any

from fastapi.responses import HTMLResponse, StreamingResponse

from tests.servers import LiveServer

CANARY = "c4n4ry"


def fail() -> None:
    raise RuntimeError(CANARY)


def fail_while_streaming() -> StreamingResponse:
    def chunks() -> Iterator[bytes]:
        yield b"first"
        raise RuntimeError(CANARY)

    return StreamingResponse(chunks())


def page() -> HTMLResponse:
    return HTMLResponse("<p>page</p>")


def accept_body(body: dict[str, Any]) -> dict[str, int]:
    return {"length": len(str(body))}


def add_routes(server: LiveServer) -> None:
    server.app.add_api_route("/api/fail", fail)
    server.app.add_api_route("/api/fail-while-streaming", fail_while_streaming)
    server.app.add_api_route("/page", page)
    server.app.add_api_route("/assets/app-abc.js", page)
    server.app.add_api_route("/api/take", accept_body, methods=["POST"])
