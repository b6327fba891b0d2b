"""Runs the application's processes in tests: web on a socket, worker and beat as subprocesses."""

import asyncio
import os
import shlex
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import uvicorn
from pydantic import SecretStr

from backend.main import create_app
from backend.settings import Settings
from scripts.procfile import read_procfile
from tests.time_limits import scaled

ROOT = Path(__file__).resolve().parent.parent


class PromptServer(uvicorn.Server):
    """Stops at once when it is idle; uvicorn's own waits cost each test 0.15 s."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopping = asyncio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stopping.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()


class LiveServer:
    """Runs the web application on a real socket, in a thread of the test process."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings)
        self._server = PromptServer(
            uvicorn.Config(
                self.app,
                host="127.0.0.1",
                port=0,
                log_config=None,
                timeout_graceful_shutdown=2,
                forwarded_allow_ips=settings.FORWARDED_ALLOW_IPS,
                proxy_headers=not settings.CLIENT_ADDRESS_HEADER,
            )
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "LiveServer":
        self._thread.start()
        deadline = time.monotonic() + scaled(30)
        while not self._server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.005)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_error: object) -> None:
        self.call(self.app.state.subscriber.end_streams)
        self.call(self._server.stopping.set)
        self._thread.join(scaled(10))

    def call(self, callback: Callable[[], None]) -> None:
        """Run `callback` in the server's event loop, like its signal handler."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(callback)

    def settle(self) -> None:
        """Wait until all requests and their background work are finished."""
        deadline = time.monotonic() + scaled(10)
        while self._server.server_state.tasks:
            assert time.monotonic() < deadline, "the server is still working"
            time.sleep(0.005)

    def client(self) -> httpx.Client:
        """Return a client with its own cookie jar."""
        # The server has no HTTPS. Loading the CA certificates would take 40 ms of CPU per client.
        return httpx.Client(base_url=self.url, timeout=scaled(10), verify=False)

    def _run(self) -> None:
        async def serve() -> None:
            self._loop = asyncio.get_running_loop()
            await self._server.serve()

        asyncio.run(serve())


@contextmanager
def web_process(
    settings: Settings, log: Path, command: Sequence[str] | None = None, root: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    """Run gunicorn as in production, and wait until it is ready. A failed start shows the log."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command or procfile_command("web"), cwd=root, env=environment_of(settings), stdout=output, stderr=output
        )
    try:
        deadline = time.monotonic() + scaled(60)
        while not _ready(settings.PORT):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield process
    finally:
        # SIGTERM and not SIGKILL, so that the master also stops its workers.
        process.terminate()
        process.wait(scaled(40))


def _ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health/ready").is_success
    except httpx.HTTPError:
        return False


class WorkerProcess:
    """Runs a Celery worker or beat as in production, with its output in a file."""

    def __init__(
        self, settings: Settings, folder: Path, role: str = "worker", app: str = "worker.app", root: Path = ROOT
    ) -> None:
        self.log = folder / f"{role}-{uuid4().hex[:6]}.log"
        self._role = role
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [word.replace("worker.app", app) for word in procfile_command(role)],
                cwd=root,
                env=environment_of(settings),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> "WorkerProcess":
        deadline = time.monotonic() + scaled(60)
        while f"{self._role}_ready" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self, seconds: float = 60) -> None:
        """Stop as in a deployment: send SIGTERM and wait for the warm shutdown.

        If the last task ends while the pool stops, the process waits 30 s for a parent that no longer reads (billiard).
        """
        self.process.terminate()
        self.process.wait(scaled(seconds))

    def kill(self) -> None:
        """Kill all its processes, as if the machine was lost."""
        os.killpg(self.process.pid, 9)
        self.process.wait(scaled(5))


def procfile_command(role: str) -> list[str]:
    """Return the command that starts a process in production."""
    return shlex.split(read_procfile()[role])


def environment_of(settings: Settings) -> dict[str, str]:
    """Return environment variables for these settings."""
    values = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name in settings.model_fields_set
        for value in [getattr(settings, name)]
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    fixed = {"ENVIRONMENT": "test", "PYTHONUNBUFFERED": "1", "C_FORCE_ROOT": "1", "PATH": path}
    return {**os.environ, **values, **fixed}
