"""Metrics of HTTP: how many requests, how long they took, what is under way."""

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.infra.metrics import Counter, Gauge, Histogram

REQUESTS = Counter("http_requests_total", "Requests answered.", "method", "route", "status")
DURATIONS = Histogram(
    "http_request_duration_seconds",
    "Time until an answer was handed over; event streams are left out.",
    "method",
    "route",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_PROGRESS = Gauge("http_requests_in_progress", "Requests under way, event streams left out.")
STREAMS = Gauge("http_streams_open", "Event streams open.")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
EVENT_STREAM = b"text/event-stream"
# nginx's number for a client that went away before its answer.
CLIENT_GONE = 499


class HttpMetrics:
    """Measures every request, outside all other middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the request, and count it as soon as its answer begins."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = Exchange(scope, send)
        IN_PROGRESS.inc()
        try:
            await self.app(scope, receive, exchange.send)
        except BaseException:
            exchange.count(500)
            raise
        finally:
            exchange.end()


class Exchange:
    """One request and its answer."""

    __slots__ = ("_forward", "_gauge", "_labels", "_measured", "_scope", "_started")

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._forward = send
        self._started = time.perf_counter()
        self._labels: tuple[str, str] | None = None
        self._gauge = IN_PROGRESS
        self._measured = False

    async def send(self, message: Message) -> None:
        """Pass on a part of the answer; what it adds to metrics is there before the client can ask for them."""
        kind = message["type"]
        if kind == "http.response.start":
            self.count(message["status"])
            if _is_event_stream(message):
                self._become_stream()
        elif kind == "http.response.body" and not message.get("more_body"):
            self._measure()
        await self._forward(message)

    def count(self, status: int) -> None:
        """Count the answer, once."""
        if self._labels is None:
            method = self._scope["method"]
            self._labels = (method if method in METHODS else "other", route_label(self._scope, status))
            REQUESTS.inc(*self._labels, str(status))

    def end(self) -> None:
        """Count what never got an answer, and forget the request."""
        self.count(CLIENT_GONE)
        self._measure()
        self._gauge.inc(by=-1)

    def _measure(self) -> None:
        if not self._measured and self._labels is not None:
            self._measured = True
            DURATIONS.observe(time.perf_counter() - self._started, *self._labels)

    def _become_stream(self) -> None:
        IN_PROGRESS.inc(by=-1)
        STREAMS.inc()
        self._gauge = STREAMS
        self._measured = True


def route_label(scope: Scope, status: int) -> str:
    """Return a route's template. Paths would be a series each, as many as anybody cares to invent."""
    route: Any = scope.get("route")
    if route is not None:
        return str(route.path_format)
    # Static files and pages of documentation are answered without a route.
    served = scope["method"] in ("GET", "HEAD") and status in (200, 206, 304)
    return "frontend" if served else "unmatched"


def _is_event_stream(message: Message) -> bool:
    for name, value in message.get("headers", ()):
        if name == b"content-type":
            return bool(value.startswith(EVENT_STREAM))
    return False
