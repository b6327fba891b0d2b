"""An HTTP server that records every request and returns prepared responses."""

import threading
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.time_limits import scaled


@dataclass
class Recorded:
    """One received request."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass
class Response:
    """One prepared response."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Recorder:
    """Listens on a free port of 127.0.0.1 within a `with` block."""

    def __init__(self, *responses: Response) -> None:
        """Return each of `responses` once, and then always the last one."""
        self.requests: list[Recorded] = []
        self._responses = list(responses) or [Response()]
        self.arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Recorder":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int, seconds: float = 10) -> list[Recorded]:
        """Wait for `count` requests and return them."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, scaled(seconds)), self.requests
        return list(self.requests)

    def _next_response(self) -> Response:
        return self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with recorder.arrived:
                    recorder.requests.append(Recorded(self.command, self.path, self.headers, body))
                    recorder.arrived.notify_all()
                    response = recorder._next_response()
                self.send_response(response.status)
                for name, value in response.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(response.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(response.body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
