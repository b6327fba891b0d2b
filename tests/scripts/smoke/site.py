"""Helpers of the scripts/smoke tests: a release, a run's output, and a fake site."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SHA = "abcd" * 10
PARTNER = "https://pages.example.org"
PASSWORD = "-".join(["c4n4ry", "that", "no", "line", "may", "hold"])
ALL = ["version", "health", "page", "headers", "cors"]
ALL += ["sign-up", "sign-in", "upload", "job", "event", "download", "delete"]

Smoke = Callable[..., "Result"]


class Result:
    """The exit status and output of one run."""

    def __init__(self, status: int, out: str) -> None:
        # The servers of these tests log to the same output, one JSON object per line.
        self.out = "\n".join(line for line in out.splitlines() if not line.startswith('{"'))
        self.status = status
        words = [line.split(maxsplit=4) for line in self.out.splitlines() if not line.startswith("smoke: ")]
        self.steps = {line[1]: line[0] for line in words if len(line) > 1}

    def line(self, name: str) -> str:
        return next(line for line in self.out.splitlines() if line.split()[1] == name)


@contextmanager
def fake_site(
    responses: dict[str, Callable[[], Any]], headers: dict[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> Iterator[str]:
    """Serve documents as JSON with the given headers; other paths return 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            response = responses.get(self.path, lambda: (404, {}))()
            status, document = response if isinstance(response, tuple) else (200, response)
            body = (document if isinstance(document, str) else json.dumps(document)).encode()
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    for method in ("POST", "DELETE", "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.do_GET)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"https://localhost:{server.server_port}" if tls else f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
