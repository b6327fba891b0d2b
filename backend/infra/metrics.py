"""Serves metrics and liveness of a process and its children on a separate internal port."""

import atexit
import contextlib
import os
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, MetricsHandler
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from backend import __version__
from backend.settings import Settings

LIVE_PATH = "/health/live"
CLIENT_SECONDS = 10
APP_INFO = Gauge(
    "app_info",
    "Version, commit and role of the running process.",
    ["version", "git_sha", "role"],
    multiprocess_mode="livemax",
)


class MetricsServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Handles each scrape in its own thread. Unlike HTTPServer, it does no DNS lookup of the host name at start."""

    allow_reuse_address = True
    daemon_threads = True


def metrics_directory() -> Path:
    """Return prometheus_client's multiprocess directory, which docker/with-metrics creates at each start."""
    return Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])


def serve(settings: Settings, role: str, *collectors: Collector, alive: Callable[[], bool] | None = None) -> None:
    """Serve /metrics until the process exits, if METRICS_PORT is not 0. `role` is web, worker or beat.

    /health/live returns 200 if `alive()` is true, 503 if it is false, and 404 without `alive`. Raises SystemExit if
    the metrics can't be served, because missing metrics would go unnoticed.
    """
    if not settings.METRICS_PORT:
        return
    registry = CollectorRegistry()
    try:
        MultiProcessCollector(registry)
    except ValueError as error:
        raise SystemExit(f"METRICS_PORT: {error}; docker/with-metrics sets it, as in the Procfile") from error
    atexit.register(_remove_files, metrics_directory(), os.getpid())
    for collector in collectors:
        registry.register(collector)
    APP_INFO.labels(__version__, settings.GIT_SHA, role).set(1)
    host = "127.0.0.1" if settings.ENVIRONMENT == "development" else "0.0.0.0"  # noqa: S104
    try:
        server = MetricsServer((host, settings.METRICS_PORT), _handler(registry, alive))
    except OSError as error:
        raise SystemExit(f"METRICS_PORT: port {settings.METRICS_PORT} can't be used: {error.strerror}") from error
    # A child process that outlives this one must not keep the port open.
    os.register_at_fork(after_in_child=server.socket.close)
    threading.Thread(target=server.serve_forever, daemon=True, name="metrics").start()


def _handler(served: CollectorRegistry, alive: Callable[[], bool] | None) -> type[MetricsHandler]:
    class Handler(MetricsHandler):
        registry = served
        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:  # noqa: N802
            path = self.path.partition("?")[0]
            if path == "/metrics":
                super().do_GET()
            elif path == LIVE_PATH and alive is not None:
                self.send_response(200 if alive() else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.send_error(404)

    return Handler


def _remove_files(directory: Path, owner: int) -> None:
    # Child processes run this at exit too.
    if os.getpid() == owner:
        for path in directory.glob("*_*.db"):
            path.unlink()
        with contextlib.suppress(OSError):
            directory.rmdir()
