"""Serves what a process recorded, at /metrics on an internal port of its own."""

import os
import socketserver
import threading
from typing import TYPE_CHECKING

from prometheus_client import MetricsHandler

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

PATH = "/metrics"
CLIENT_SECONDS = 10


class MetricsPortTaken(SystemExit):
    """The port can't be used. Ends the process: nobody would notice that its metrics are missing."""


class MetricsServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Answers each scrape in a thread of its own. HTTPServer would ask the DNS for this machine's name first."""

    allow_reuse_address = True
    daemon_threads = True


def serve_metrics(registry: "CollectorRegistry", port: int, *, local: bool) -> None:
    """Serve until the process ends, to this machine only when `local`. Raises MetricsPortTaken."""

    class Handler(MetricsHandler):
        timeout = CLIENT_SECONDS

        def do_GET(self) -> None:  # noqa: N802
            if self.path.partition("?")[0] == PATH:
                super().do_GET()
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
