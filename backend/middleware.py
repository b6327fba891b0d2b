"""Middleware as pure ASGI: request id and access log, origin check, body limit, security headers."""

import time
from collections.abc import Iterable
from contextlib import suppress

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import AppError, Forbidden, TooLarge
from backend.infra.db import new_id
from backend.infra.sentry import capture, trace
from backend.problems import respond

log = structlog.get_logger("access")

MAX_BODY_BYTES = 1_000_000
UNSAFE_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
QUIET_PATHS = ("/health", "/api/version", "/assets/")
MAX_REQUEST_ID = 64
IMMUTABLE = "public, max-age=31536000, immutable"
TOO_LARGE = f"At most {MAX_BODY_BYTES} bytes are accepted here."


class CrossOriginRefused(Forbidden):
    """A page of another origin tried to act in the user's name."""

    code = "cross_origin"
    title = "Cross-origin request refused"
    detail = "This page's origin is not in ALLOWED_ORIGINS."


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
            await _refuse(scope, receive, send, AppError())

    def _report(self, scope: Scope, error: Exception) -> None:
        log.error("unhandled_error", method=scope["method"], path=scope["path"], exc_info=error)
        if self.sentry:
            capture(error, request_id=scope["state"]["request_id"], method=scope["method"])


class OriginCheck:
    """Refuses unsafe requests that another origin's page makes; Bearer tokens, which no page sends unasked, are exempt.

    The rules are those of Go's net/http CrossOriginProtection: Sec-Fetch-Site decides, older browsers are
    judged by Origin against Host, and a request with neither header comes from no browser.
    """

    def __init__(self, app: ASGIApp, *, allowed_origins: Iterable[str]) -> None:
        self.app = app
        self.allowed = frozenset(allowed_origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "http" and scope["method"] in UNSAFE_METHODS and not self._is_fine(Headers(scope=scope)):
            await _refuse(scope, receive, send, CrossOriginRefused())
            return
        await self.app(scope, receive, send)

    def _is_fine(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        # A browser may add Basic credentials by itself, and those we do not read.
        if headers.get("authorization", "").lower().startswith("bearer ") or origin in self.allowed:
            return True
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        return origin is None or origin.partition("://")[2] == headers.get("host")


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
            await _refuse(scope, receive, send, TooLarge(TOO_LARGE))
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
            await _refuse(scope, receive, send, TooLarge(TOO_LARGE))


class SecurityHeaders:
    """Adds the headers that tell browsers what our pages may do, and how long files may be kept."""

    def __init__(self, app: ASGIApp, *, storage_origins: list[str], https: bool, docs: bool) -> None:
        self.app = app
        self.docs = docs
        self.headers = _security_headers(" ".join(["'self'", *storage_origins]), https)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and complete its answer's headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The API document's page loads its viewer from a CDN; it exists in development alone.
                if not (self.docs and scope["path"] == "/docs"):
                    message["headers"].extend(self.headers)
                _cache_policy(scope["path"], message)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def _security_headers(sources: str, https: bool) -> list[tuple[bytes, bytes]]:
    policy = (
        f"default-src 'self'; connect-src {sources}; img-src {sources} blob:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "strict-origin-when-cross-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cross-origin-opener-policy": "same-origin",
    }
    if https:
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _cache_policy(path: str, message: Message) -> None:
    headers = MutableHeaders(raw=message["headers"])
    if path.startswith("/assets/") and message["status"] == 200:
        headers["cache-control"] = IMMUTABLE
    elif path.startswith("/api/"):
        headers.setdefault("cache-control", "no-store")
    elif headers.get("content-type", "").startswith("text/html"):
        headers["cache-control"] = "no-cache"


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


async def _refuse(scope: Scope, receive: Receive, send: Send, error: AppError) -> None:
    await respond(Request(scope), error)(scope, receive, send)
