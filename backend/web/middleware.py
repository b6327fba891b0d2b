"""Pure ASGI middleware: request id and access log, unexpected errors, body limit."""

import time
from contextlib import suppress

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import AppError, TooLarge
from backend.infra.db import new_id
from backend.infra.sentry import capture, trace
from backend.web.problems import refuse

log = structlog.get_logger("access")

MAX_BODY_BYTES = 1_000_000
UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
QUIET_PATHS = ("/health", "/api/version", "/assets/")
MAX_REQUEST_ID = 64
TOO_LARGE = f"At most {MAX_BODY_BYTES} bytes are accepted here."


class RequestContext:
    """Adds a request id to the response and to all log lines, and writes the access log."""

    def __init__(self, app: ASGIApp, *, traces_sample_rate: float) -> None:
        self.app = app
        self.sample_rate = traces_sample_rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request. A valid X-Request-ID of the caller is used as its id."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            if self.sample_rate:
                with trace(scope["path"], "http.server", self.sample_rate):
                    await self.app(scope, receive, send_with_id)
            else:
                await self.app(scope, receive, send_with_id)
        finally:
            _log_access(scope, status, time.perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")


class UnhandledErrors:
    """Turns unexpected errors into a 500 problem document, logs them and reports them to Sentry.

    It must be inside the middleware that adds headers, so that these responses have the headers too.
    """

    def __init__(self, app: ASGIApp, *, sentry: bool) -> None:
        self.app = app
        self.sentry = sentry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request. An error after the response started is raised again, which closes the connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started_response = False

        async def watched_send(message: Message) -> None:
            nonlocal started_response
            started_response = True
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except ClientDisconnect:
            log.info("client_disconnected", method=scope["method"], path=scope["path"])
        except Exception as error:
            self._report(scope, error)
            if started_response:
                raise
            await refuse(scope, receive, send, AppError())

    def _report(self, scope: Scope, error: Exception) -> None:
        log.error("unhandled_error", method=scope["method"], path=scope["path"], exc_info=error)
        if self.sentry:
            capture(error, request_id=scope["state"]["request_id"], method=scope["method"])


class BodyLimit:
    """Refuses bodies over MAX_BODY_BYTES, by Content-Length or while they are streamed."""

    def __init__(self, app: ASGIApp, *, exempt_prefix: str) -> None:
        self.app = app
        self.exempt_prefix = exempt_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in UNSAFE_METHODS:
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith(self.exempt_prefix):
            await self.app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdecimal() or int(declared) > MAX_BODY_BYTES:
            await refuse(scope, receive, send, TooLarge(TOO_LARGE))
            return
        received = 0
        started_response = False

        async def limited_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise TooLarge(TOO_LARGE)
            return message

        async def guarded_send(message: Message) -> None:
            nonlocal started_response
            # The inner code may handle TooLarge and respond differently. Drop that response; 413 follows below.
            if received <= MAX_BODY_BYTES or started_response:
                started_response = True
                await send(message)

        with suppress(TooLarge):
            await self.app(scope, limited_receive, guarded_send)
        if received > MAX_BODY_BYTES and not started_response:
            await refuse(scope, receive, send, TooLarge(TOO_LARGE))


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            given: str = value.decode("latin-1")
            if len(given) <= MAX_REQUEST_ID and given.isascii() and given.replace("-", "").isalnum():
                return given
    return new_id().hex


def _log_access(scope: Scope, status: int, seconds: float) -> None:
    path = scope["path"]
    if status < 400 and path.startswith(QUIET_PATHS):
        return
    client = scope.get("client")
    log.info(
        "request",
        method=scope["method"],
        path=path,
        status=status,
        duration_ms=round(seconds * 1000, 2),
        client=client[0] if client else None,
    )
