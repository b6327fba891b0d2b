"""An HTTP server at the edge of the world that writes down every request and answers as it is told."""

import threading
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.time_limits import scaled


@dataclass
class Recorded:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass
class Answer:
    """What a request is answered with."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Recorder:
    """Listens on a free port of 127.0.0.1 for the length of a `with` block."""

    def __init__(self, *answers: Answer) -> None:
        """Answer with each of `answers` in turn, and with the last one from then on."""
        self.requests: list[Recorded] = []
        self._answers = list(answers) or [Answer()]
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
        """Return the requests once there are `count`."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, scaled(seconds)), self.requests
        return list(self.requests)

    def _next_answer(self) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                with recorder.arrived:
                    recorder.requests.append(Recorded(self.command, self.path, self.headers, body))
                    recorder.arrived.notify_all()
                    answer = recorder._next_answer()
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer.body)

            do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler
