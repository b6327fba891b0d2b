"""HTTP metrics: number of requests, durations, requests in progress."""

import time
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUESTS = Counter("http_requests_total", "Requests with a response.", ["method", "route", "status"])
DURATIONS = Histogram(
    "http_request_duration_seconds",
    "Time until the whole response was sent, without event streams.",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_PROGRESS = Gauge(
    "http_requests_in_progress", "Requests in progress, without event streams.", multiprocess_mode="livesum"
)
STREAMS = Gauge("http_streams_open", "Open event streams.", multiprocess_mode="livesum")

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# nginx's status for a client that closed the connection before the response.
CLIENT_CLOSED = 499


class HttpMetrics:
    """Measures every request. Must be the outermost middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = MeasuredRequest(scope, send)
        status = 500
        try:
            await self.app(scope, receive, request.send)
            status = CLIENT_CLOSED
        finally:
            request.end(status)


class MeasuredRequest:
    """One request: counted when its response starts, timed when its response ends."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._started = time.perf_counter()
        self._labels: tuple[str, str] | None = None
        self._timed = False
        self._gauge = IN_PROGRESS
        self._gauge.inc()

    async def send(self, message: Message) -> None:
        """Record the metrics, then send the message: the client may read the metrics right after the response."""
        if message["type"] == "http.response.start":
            self._count(message["status"])
            if _is_event_stream(message):
                self._timed = True
                self._gauge.dec()
                self._gauge = STREAMS
                self._gauge.inc()
        elif not message.get("more_body"):
            self._time()
        await self._send(message)

    def end(self, status: int) -> None:
        """End the request. If there was no response, count it with `status`."""
        if self._labels is None:
            self._count(status)
        self._time()
        self._gauge.dec()

    def _count(self, status: int) -> None:
        method = self._scope["method"]
        self._labels = (method if method in METHODS else "other", route_label(self._scope, status))
        REQUESTS.labels(*self._labels, status).inc()

    def _time(self) -> None:
        if not self._timed and self._labels is not None:
            self._timed = True
            DURATIONS.labels(*self._labels).observe(time.perf_counter() - self._started)


def route_label(scope: Scope, status: int) -> str:
    """Return the route's path template. With raw paths, clients could create any number of series."""
    route: Any = scope.get("route")
    if route is not None:
        return str(route.path_format)
    # Static files and documentation pages have no route.
    served = scope["method"] in ("GET", "HEAD") and status in (200, 206, 304)
    return "frontend" if served else "unmatched"


def _is_event_stream(message: Message) -> bool:
    for name, value in message.get("headers", ()):
        if name == b"content-type":
            return bool(value.startswith(b"text/event-stream"))
    return False
