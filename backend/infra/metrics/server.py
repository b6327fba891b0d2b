"""Serves what a process recorded, and whether it is alive, on an internal port of its own: /metrics, /health/live."""

import os
import socketserver
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import MetricsHandler

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

PATH = "/metrics"
LIVE_PATH = "/health/live"
CLIENT_SECONDS = 10


class MetricsPortTaken(SystemExit):
    """The port can't be used. Ends the process: nobody would notice that its metrics are missing."""


class MetricsServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Answers each scrape in a thread of its own. HTTPServer would ask the DNS for this machine's name first."""

    allow_reuse_address = True
    daemon_threads = True


def serve_metrics(
    registry: "CollectorRegistry", port: int, *, local: bool, alive: Callable[[], bool] | None = None
) -> None:
    """Serve until the process ends, to this machine only when `local`. Raises MetricsPortTaken.

    /health/live is 200 or 503 as `alive` says, and 404 without it.
    """

    class Handler(MetricsHandler):
        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:  # noqa: N802
            path = self.path.partition("?")[0]
            if path == PATH:
                super().do_GET()
            elif path == LIVE_PATH and alive is not None:
                self.send_response(200 if alive() else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.send_error(404)

    Handler.registry = registry
    try:
        server = MetricsServer(("127.0.0.1" if local else "0.0.0.0", port), Handler)  # noqa: S104
    except OSError as error:
        raise MetricsPortTaken(f"METRICS_PORT: port {port} can't be used: {error.strerror}") from error
    # A forked process that outlives this one must not keep the port.
    os.register_at_fork(after_in_child=server.socket.close)
    threading.Thread(target=server.serve_forever, daemon=True, name="metrics").start()
