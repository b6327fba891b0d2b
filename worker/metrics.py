"""The worker's metrics: tasks, the phases of a job, mails."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from celery.signals import task_failure, task_postrun, task_prerun, worker_before_create_process
from prometheus_client import Counter, Histogram
from prometheus_client.multiprocess import mark_process_dead
from sqlalchemy.orm import Session

from backend.infra.db import after_commit, utc_now
from backend.infra.metrics import metrics_directory
from backend.jobs.models import Job

T = TypeVar("T")

QUEUED, DOWNLOAD, PIPELINE, UPLOAD, TOTAL = PHASES = ("queued", "download", "pipeline", "upload", "total")
STATES = {"SUCCESS": "succeeded", "FAILURE": "failed", "RETRY": "retried"}

TASKS = Counter("celery_tasks_total", "Tasks run.", ["task", "state"])
TASK_DURATIONS = Histogram(
    "celery_task_duration_seconds",
    "Time a task ran.",
    ["task"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300),
)
PHASE_DURATIONS = Histogram(
    "job_phase_seconds",
    "Time that jobs waited, and time that completed jobs spent in each phase.",
    ["phase"],
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
)
# Created here, so that each series starts at 0 before the first job.
for _phase in PHASES:
    PHASE_DURATIONS.labels(_phase)
MAILS = Counter("mails_sent_total", "Attempts to send a mail, by outcome.", ["outcome"])

_started: dict[str, float] = {}


def measure_tasks() -> None:
    """Start to count tasks. Call it before the fork."""
    parent = os.getpid()
    task_prerun.connect(_note_start)
    task_postrun.connect(_count_task)
    worker_before_create_process.connect(_forget_ended_processes)

    def count_lost(sender: Any, **_kwargs: Any) -> None:
        # The parent counts for a process that was killed during a task.
        if os.getpid() == parent:
            TASKS.labels(sender.name, "failed").inc()

    task_failure.connect(count_lost, weak=False)


def count_mail(session: Session, outcome: str) -> None:
    """Count an attempt to send a mail, after commit."""
    after_commit(session, MAILS.labels(outcome).inc)


class Phases:
    """The duration of each phase of one attempt at a job."""

    def __init__(self, job: Job) -> None:
        # A retried job waits since it was sent, not since it was created.
        since = job.created_at if job.attempts == 1 else job.sent_at
        self._queued = max(0.0, (utc_now() - since).total_seconds())
        self._started = time.perf_counter()
        self._seconds = {DOWNLOAD: 0.0, PIPELINE: 0.0, UPLOAD: 0.0}
        PHASE_DURATIONS.labels(QUEUED).observe(self._queued)

    @contextmanager
    def timed(self, phase: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._seconds[phase] += time.perf_counter() - started

    def timed_steps(self, steps: Iterator[T]) -> Iterator[T]:
        """Add the time spent inside `steps` to the pipeline phase; time between two steps is not included."""
        while True:
            with self.timed(PIPELINE):
                step = next(steps, None)
            if step is None:
                return
            yield step

    def record(self) -> None:
        for phase, seconds in self._seconds.items():
            PHASE_DURATIONS.labels(phase).observe(seconds)
        PHASE_DURATIONS.labels(TOTAL).observe(self._queued + time.perf_counter() - self._started)


def _forget_ended_processes(**_kwargs: Any) -> None:
    # Celery sends no signal when a child is killed, but it starts a new one.
    for path in metrics_directory().glob("gauge_live*.db"):
        pid = int(path.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            mark_process_dead(pid)


def _note_start(task_id: str, **_kwargs: Any) -> None:
    _started[task_id] = time.perf_counter()


def _count_task(task_id: str, sender: Any, state: str | None = None, **_kwargs: Any) -> None:
    started = _started.pop(task_id, None)
    TASKS.labels(sender.name, STATES.get(state or "", "failed")).inc()
    if started is not None:
        TASK_DURATIONS.labels(sender.name).observe(time.perf_counter() - started)
