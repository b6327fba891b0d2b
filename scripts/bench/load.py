"""Sends HTTP requests over keep-alive connections, only to 127.0.0.1, limited in number and time.

It runs in its own process (`python -m scripts.bench.load`) and parses only a response's status and length,
so that on a small machine the client uses little CPU time beside the measured server.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import cast

from scripts.bench.processes import output_of

MAX_REQUESTS = 500_000
GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Load:
    """The result of a load."""

    requests: int
    failed: int
    seconds: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def send_load(port: int, path: str, *, connections: int, seconds: float, token: str = "") -> Load:
    """Send requests for some seconds from another process. Raises RuntimeError unless all return 200."""
    arguments = [str(port), path, str(connections), str(seconds)]
    # The token is in the environment, because other users of the machine can read arguments.
    environment: Mapping[str, str] = {**os.environ, "BENCH_TOKEN": token}
    output = output_of("scripts.bench.load", arguments, environment, seconds + 2 * GRACE_SECONDS)
    load = Load(**json.loads(output))
    if load.failed or not load.requests:
        raise RuntimeError(f"{load.failed} of {load.requests} requests to {path} failed")
    return load


class Run:
    """State shared by the connections of one load."""

    def __init__(self, request: bytes, connections: int, seconds: float) -> None:
        self.request = request
        self.started = time.perf_counter()
        self.deadline = self.started + seconds
        self.latencies: list[float] = []
        self.failed = 0
        self.done = asyncio.Event()
        self._open = connections

    def over(self, now: float) -> bool:
        """Whether to stop sending requests."""
        return now >= self.deadline or len(self.latencies) >= MAX_REQUESTS

    def close_one(self) -> None:
        """Count a closed connection."""
        self._open -= 1
        if not self._open:
            self.done.set()


class Connection(asyncio.Protocol):
    """Sends a request, waits for the whole response, sends the next."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._head = b""
        self._missing = 0
        self._sent_at = 0.0
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports don't inherit from asyncio's classes.
        self._transport = cast(asyncio.WriteTransport, transport)
        self._send(time.perf_counter())

    def data_received(self, data: bytes) -> None:
        """Count the bytes; at the end of the response send the next request."""
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            if b"\r\n\r\n" not in self._head:
                return
            self._missing = _response_length(self._head) - len(self._head)
        if not self._missing:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a missing response."""
        self._run.failed += self._waiting
        self._run.close_one()

    def _send(self, now: float) -> None:
        self._head, self._sent_at, self._waiting = b"", now, True
        self._transport.write(self._run.request)

    def _finish(self) -> None:
        now = time.perf_counter()
        self._waiting = False
        self._run.latencies.append(now - self._sent_at)
        self._run.failed += self._head[9:12] != b"200"
        if self._run.over(now):
            self._transport.close()
        else:
            self._send(now)


def _response_length(head: bytes) -> int:
    fields, _, _body = head.partition(b"\r\n\r\n")
    _, _, rest = fields.lower().partition(b"\r\ncontent-length:")
    return len(fields) + 4 + int(rest.partition(b"\r\n")[0])


async def _load(port: int, path: str, connections: int, seconds: float) -> Load:
    token = os.environ.get("BENCH_TOKEN", "")
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{authorization}\r\n".encode()
    run = Run(request, connections, seconds)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(run), "127.0.0.1", port)
    await asyncio.wait_for(run.done.wait(), seconds + GRACE_SECONDS)
    took = time.perf_counter() - run.started
    ordered = sorted(run.latencies)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
    return Load(len(ordered), run.failed, took, p50, p99)


if __name__ == "__main__":
    import uvloop

    result = uvloop.run(_load(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
    print(json.dumps(asdict(result)))
