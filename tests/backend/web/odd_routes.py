"""Routes that tests add to the application: some fail, some take a body, some answer with a page."""

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


def take(body: dict[str, Any]) -> dict[str, int]:
    return {"length": len(str(body))}


def add_routes(server: LiveServer) -> None:
    """Add routes that fail, that take a body and that answer with a page."""
    server.app.add_api_route("/api/fail", fail)
    server.app.add_api_route("/api/fail-while-streaming", fail_while_streaming)
    server.app.add_api_route("/page", page)
    server.app.add_api_route("/assets/app-abc.js", page)
    server.app.add_api_route("/api/take", take, methods=["POST"])
