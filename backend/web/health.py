"""Health and version endpoints for load balancers, operators and the deploy tool."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextvars import copy_context
from functools import partial
from pathlib import Path
from typing import Literal, cast

import structlog
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from backend import __version__
from backend.errors import Unavailable
from backend.infra.db import create_read_sessions
from backend.infra.queue import Queue
from backend.infra.rate_limit import Counters, CountersUnavailable
from backend.infra.schema import known_revisions
from backend.infra.storage import Storage
from backend.settings import Settings
from backend.web.problems import problems

log = structlog.get_logger(__name__)
router = APIRouter(tags=["health"])

STORAGE_CHECK_SECONDS = 30.0
CHECK_SECONDS = 3.0

CheckResult = Literal["ok", "fallback", "unavailable"]


class NotReady(Unavailable):
    """The process can't serve requests: the database is unavailable, or `migrate` has not run."""

    code = "not_ready"


class Version(BaseModel):
    """Version and commit of the running code."""

    version: str
    git_sha: str


class Health(Version):
    """Version and commit of the running code, and the state of each external system."""

    status: Literal["ok", "degraded", "unavailable"]
    checks: dict[str, CheckResult]


class Probe:
    """Runs one check in its own thread, so that a system that hangs does not delay /health."""

    def __init__(self, name: str, check: Callable[[], object]) -> None:
        self._name = name
        self._check = check
        self._lock = threading.Lock()
        self._running: Future[CheckResult] = Future()
        self._running.set_result("ok")

    def start(self) -> "Future[CheckResult]":
        """Start the check unless it is already running, and return its future result."""
        with self._lock:
            if self._running.done():
                self._running = Future()
                # Copy the context, so that log lines of the thread contain the request id.
                work = partial(copy_context().run, self._run, self._running)
                threading.Thread(target=work, daemon=True, name=self._name).start()
            return self._running

    def _run(self, result: "Future[CheckResult]") -> None:
        try:
            self._check()
        except CountersUnavailable:
            # Limits still work: each process counts in memory.
            result.set_result("fallback")
        except Exception as error:
            log.warning("health_check_failed", check=self._name, error=type(error).__name__)
            result.set_result("unavailable")
        else:
            result.set_result("ok")


class HealthChecks:
    """Checks each external system once per request. Storage, whose requests may cost money, at most every 30 s."""

    def __init__(self, settings: Settings, engine: Engine, queue: Queue, storage: Storage, counters: Counters) -> None:
        self._settings = settings
        self._sessions = create_read_sessions(engine)
        self._queue = queue
        self._storage = storage
        self._storage_checked_at = -STORAGE_CHECK_SECONDS
        self._probes = {
            "database": Probe("database", self._check_database),
            "valkey": Probe("valkey", lambda: self._queue.redis.ping()),
            "storage": Probe("storage", self._check_storage),
            "worker": Probe("worker", self._check_worker),
            "rate_limit": Probe("rate_limit", counters.check),
        }

    def run(self) -> Health:
        """Run all checks. The status is unavailable without the database, and degraded if another check fails."""
        results = {name: probe.start() for name, probe in self._probes.items()}
        wait(results.values(), timeout=CHECK_SECONDS)
        checks: dict[str, CheckResult] = {
            name: result.result() if result.done() else "unavailable" for name, result in results.items()
        }
        status: Literal["ok", "degraded", "unavailable"] = "ok"
        if checks["database"] != "ok":
            status = "unavailable"
        elif set(checks.values()) != {"ok"}:
            status = "degraded"
        return Health(status=status, checks=checks, version=__version__, git_sha=self._settings.GIT_SHA)

    def require_schema(self) -> None:
        """Raise NotReady unless the database's schema is this code's revision or a newer one."""
        try:
            with self._sessions() as session:
                revision = session.scalar(text("SELECT version_num FROM alembic_version"))
        except SQLAlchemyError as error:
            raise NotReady("The database is unavailable or has no schema. Run: python -m backend migrate") from error
        known = known_revisions()
        if revision is None or (revision in known and revision != known[-1]):
            raise NotReady("The database schema is older than this code. Run: python -m backend migrate")

    def _check_database(self) -> None:
        with self._sessions() as session:
            session.execute(text("SELECT 1"))

    def _check_worker(self) -> None:
        if not self._queue.live_workers():
            raise LookupError("no worker sent a heartbeat")

    def _check_storage(self) -> None:
        if time.monotonic() - self._storage_checked_at > STORAGE_CHECK_SECONDS:
            self._storage.check()
            self._storage_checked_at = time.monotonic()


@router.get("/health", responses={503: {"model": Health, "description": "The database is unavailable"}})
def read_health(request: Request, response: Response) -> Health:
    """Return the state of the service and its external systems. 503 only if the database is unavailable."""
    health = _checks(request).run()
    if health.status == "unavailable":
        response.status_code = 503
    return health


@router.get("/health/live")
async def read_liveness() -> dict[str, str]:
    """Return 200 while the process runs. Calls no other system."""
    return {"status": "ok"}


@router.get("/health/serving", responses={503: problems()[503]})
async def read_serving(request: Request) -> dict[str, str]:
    """Return 200 while this process accepts new requests, and 503 once DRAIN_FILE exists."""
    settings: Settings = request.app.state.settings
    if settings.DRAIN_FILE and Path(settings.DRAIN_FILE).exists():
        raise Unavailable("This process is about to stop and accepts no new requests.")
    return {"status": "ok"}


@router.get("/health/ready", responses={503: problems()[503]})
def read_readiness(request: Request) -> dict[str, str]:
    """Return 200 if requests can be served: the database is available and its schema fits this code."""
    _checks(request).require_schema()
    return {"status": "ok"}


@router.get("/api/version")
async def read_version(request: Request) -> Version:
    """Return the version and commit of the running code."""
    settings: Settings = request.app.state.settings
    return Version(version=__version__, git_sha=settings.GIT_SHA)


def _checks(request: Request) -> HealthChecks:
    return cast(HealthChecks, request.app.state.health_checks)
