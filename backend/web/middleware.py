"""Middleware as pure ASGI: request id and access log, unexpected errors, body limit."""

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
    """Gives each request an id, which its answer and its log lines carry, and one line in the access log."""

    def __init__(self, app: ASGIApp, *, traces_sample_rate: float) -> None:
        self.app = app
        self.sample_rate = traces_sample_rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; the id comes from the caller's X-Request-ID when that is a plain word."""
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
    """Answers with a problem document, and reports, when the code below fails unexpectedly.

    It stands inside the middleware that adds headers, so that these answers carry them too.
    """

    def __init__(self, app: ASGIApp, *, sentry: bool) -> None:
        self.app = app
        self.sentry = sentry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request; an error after the answer has begun can only cut it off."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False

        async def watched_send(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, watched_send)
        except ClientDisconnect:
            log.info("client_gone", method=scope["method"], path=scope["path"])
        except Exception as error:
            self._report(scope, error)
            if begun:
                raise
            await refuse(scope, receive, send, AppError())

    def _report(self, scope: Scope, error: Exception) -> None:
        log.error("unhandled_error", method=scope["method"], path=scope["path"], exc_info=error)
        if self.sentry:
            capture(error, request_id=scope["state"]["request_id"], method=scope["method"])


class BodyLimit:
    """Refuses bodies over a limit, announced or streamed, before they fill the memory."""

    def __init__(self, app: ASGIApp, *, exempt_prefix: str) -> None:
        self.app = app
        self.exempt_prefix = exempt_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http" or scope["method"] not in UNSAFE_METHODS:
            await self.app(scope, receive, send)
            return
        if scope["path"].startswith(self.exempt_prefix):
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdecimal() or int(announced) > MAX_BODY_BYTES:
            await refuse(scope, receive, send, TooLarge(TOO_LARGE))
            return
        received = 0
        begun = False

        async def limited_receive() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise TooLarge(TOO_LARGE)
            return message

        async def guarded_send(message: Message) -> None:
            nonlocal begun
            # Whatever the code below makes of the error, the answer is the same.
            if received <= MAX_BODY_BYTES or begun:
                begun = True
                await send(message)

        with suppress(TooLarge):
            await self.app(scope, limited_receive, guarded_send)
        if received > MAX_BODY_BYTES and not begun:
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
