"""Process one job: take the lease, download the file, run the pipeline, store the results."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction
from backend.infra.storage import ObjectMissing, Storage, StorageError
from backend.jobs import leases
from backend.jobs.failures import Failure
from backend.jobs.leases import LeaseLost
from backend.jobs.metrics import count_retry
from backend.jobs.models import Job
from backend.jobs.schemas import result_document
from backend.jobs.service import result_key
from backend.settings import Settings
from backend.text import clean_json, strip_unprintable
from worker import pipeline
from worker.heartbeat import Heartbeat
from worker.metrics import DOWNLOAD, UPLOAD, Phases

log = structlog.get_logger(__name__)

MAX_BACKOFF_SECONDS = 300
# Users don't notice more frequent updates; each is a transaction and an event.
PROGRESS_SECONDS = 0.25
# Lengths of the database columns.
MAX_CODE = 40
MAX_MESSAGE = 500
RETRYABLE_ERRORS = (StorageError, OSError, OperationalError, InterfaceError, PoolTimeout)


class OriginalChanged(Exception):
    """The file's size in storage differs from the size given at upload."""


def process_job(job_id: UUID, settings: Settings, sessions: sessionmaker[Session], storage: Storage) -> None:
    """Run the job until it is completed, failed, or queued again because a service was unavailable."""
    with transaction(sessions) as session:
        job = leases.start_job(session, settings, job_id)
    if job is None:
        log.info("job_not_taken", job_id=str(job_id))
        return
    structlog.contextvars.bind_contextvars(request_id=job.request_id, job_id=str(job_id))
    log.info("job_started", attempt=job.attempts)
    JobRun(job, settings, sessions, storage).run()


class JobRun:
    """One attempt at one job, by the process that holds its lease."""

    def __init__(self, job: Job, settings: Settings, sessions: sessionmaker[Session], storage: Storage) -> None:
        assert job.lease_token is not None
        self._job = job
        self._token = job.lease_token
        self._settings = settings
        self._sessions = sessions
        self._storage = storage
        self._facts: dict[str, Any] = {}
        self._phases = Phases(job)
        self._advanced_at = time.monotonic()

    def run(self) -> None:
        """Run the attempt and save its outcome, unless another worker took over the lease."""
        try:
            with Heartbeat(self._job.id, self._token, self._settings, self._sessions) as heartbeat:
                self._end(heartbeat)
        except LeaseLost:
            log.info("job_lease_lost")
            with suppress(StorageError):
                self._storage.delete_prefix(result_key(self._job.id, self._job.attempts, ""))

    def _end(self, heartbeat: Heartbeat) -> None:
        try:
            results = self._process(heartbeat)
        except RETRYABLE_ERRORS as error:
            self._requeue(error)
        except Exception as error:
            if isinstance(error, LeaseLost):
                raise
            self._fail(error)
        else:
            with transaction(self._sessions) as session:
                leases.complete_job(session, self._settings, self._job.id, self._token, results, self._facts)
            self._phases.record()
            log.info("job_completed", results=len(results))

    def _process(self, heartbeat: Heartbeat) -> list[dict[str, Any]]:
        results: list[dict[str, Any]] = []
        with tempfile.TemporaryDirectory(prefix="job-") as folder:
            for step in self._phases.timed_steps(self._steps(Path(folder))):
                heartbeat.check()
                if step.result is not None:
                    results.append(self._store(step.result))
                self._facts = clean_json(step.facts) if step.facts else self._facts
                self._advance(step.progress)
        return results

    def _steps(self, folder: Path) -> Iterator[pipeline.Step]:
        original = folder / "original"
        with self._phases.timed(DOWNLOAD):
            self._storage.download(self._job.original_key, original)
        if original.stat().st_size != self._job.size:
            raise OriginalChanged
        target = folder / "results"
        target.mkdir()
        return pipeline.run(original, self._job.recipe, target)

    def _store(self, result: pipeline.Result) -> dict[str, Any]:
        key = result_key(self._job.id, self._job.attempts, result.name)
        with self._phases.timed(UPLOAD):
            self._storage.upload(result.path, key, content_type=result.content_type)
        size = result.path.stat().st_size
        result.path.unlink()
        return result_document(
            self._job.id,
            result.name,
            label=clean_json(result.label),
            content_type=result.content_type,
            size=size,
            facts=clean_json(result.facts),
        )

    def _advance(self, progress: int) -> None:
        if time.monotonic() - self._advanced_at < PROGRESS_SECONDS:
            return
        with transaction(self._sessions) as session:
            # Only complete_job sets 100, together with the results.
            leases.advance_job(session, self._job.id, self._token, min(progress, 99), self._facts)
        self._advanced_at = time.monotonic()

    def _requeue(self, error: Exception) -> None:
        wait = backoff(self._job.attempts, self._settings.JOB_RETRY_BACKOFF_SECONDS)
        log.warning("job_requeued", error=f"{type(error).__name__}: {error}", wait_seconds=round(wait, 1))
        with transaction(self._sessions) as session:
            if leases.put_back_job(session, self._settings, self._job.id, self._token, timedelta(seconds=wait)):
                count_retry(session, _retry_code(error))

    def _fail(self, error: Exception) -> None:
        code, message = _failure(error)
        log.warning("job_failed", code=code, exc_info=error if code == Failure.INTERNAL else None)
        with transaction(self._sessions) as session:
            leases.fail_job(session, self._settings, self._job.id, self._token, code, message)
        if code == Failure.INTERNAL:
            raise error


def backoff(attempt: int, first_seconds: float) -> float:
    """Return the seconds to wait after `attempt`: doubled each time, capped, with jitter to spread retries."""
    ceiling = min(first_seconds * 2.0 ** (attempt - 1), MAX_BACKOFF_SECONDS)
    return random.uniform(ceiling / 2, ceiling)


def _retry_code(error: Exception) -> str:
    if isinstance(error, StorageError):
        return Failure.STORAGE_UNAVAILABLE
    if isinstance(error, OSError):
        return "system_error"
    return "database_unavailable"


def _failure(error: Exception) -> tuple[str, str | None]:
    """Return the failure's code, and the pipeline's message if it has one."""
    if isinstance(error, pipeline.BadInput):
        return error.code[:MAX_CODE], clean_json(strip_unprintable(error.message))[:MAX_MESSAGE]
    if isinstance(error, SoftTimeLimitExceeded):
        return Failure.TIMED_OUT, None
    if isinstance(error, ObjectMissing):
        return Failure.ORIGINAL_MISSING, None
    if isinstance(error, OriginalChanged):
        return Failure.ORIGINAL_CHANGED, None
    return Failure.INTERNAL, None
