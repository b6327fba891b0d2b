"""Beat's metrics of the queue, read from the database and from Valkey at each scrape."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from prometheus_client import Metric
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector

from backend.infra.db import create_engine, create_read_sessions
from backend.infra.queue import Queue
from backend.infra.redis import connect
from backend.jobs.models import JobStatus
from backend.jobs.queue_figures import QueueFigures, read_queue
from backend.mails.service import oldest_unsent_seconds
from backend.settings import Settings

log = structlog.get_logger(__name__)

CACHE_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 4.0
# Valkey is read first, and twice when it does not respond: this leaves time for the database.
VALKEY_TIMEOUT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of the queue, and the age of the oldest unsent mail."""

    queue: QueueFigures
    oldest_mail_seconds: float


class QueueCollector(Collector):
    """Reads at most once in five seconds, in a thread: a database that does not respond must not block a scrape."""

    def __init__(self, settings: Settings) -> None:
        self._sessions = create_read_sessions(create_engine(settings.model_copy(update={"DATABASE_POOL_SIZE": 1})))
        self._queue = Queue(settings)
        self._queue.redis = connect(settings, timeout=VALKEY_TIMEOUT_SECONDS)
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._read_at = -CACHE_SECONDS
        self._snapshot: Snapshot | None = None

    def describe(self) -> list[Metric]:
        """Return nothing: the registry would otherwise call `collect` and read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the queue's metrics; only metrics_database_up while the database is unavailable."""
        snapshot = self._read_cached()
        yield GaugeMetricFamily(
            "metrics_database_up",
            "Whether the queue's metrics could be read; if not, they are absent.",
            value=snapshot is not None,
        )
        if snapshot is not None:
            yield from _metrics(snapshot)

    def _read_cached(self) -> Snapshot | None:
        with self._lock:
            if time.monotonic() - self._read_at < CACHE_SECONDS:
                return self._snapshot
            if self._reader is None or not self._reader.is_alive():
                self._reader = threading.Thread(target=self._read, daemon=True, name="queue-metrics")
                self._reader.start()
            reader = self._reader
        reader.join(READ_TIMEOUT_SECONDS)
        return None if reader.is_alive() else self._snapshot

    def _read(self) -> None:
        try:
            with self._sessions() as session:
                snapshot = Snapshot(read_queue(session, self._queue), oldest_unsent_seconds(session))
        except Exception as error:
            log.warning("queue_metrics_failed", error=type(error).__name__)
            snapshot = None
        self._snapshot, self._read_at = snapshot, time.monotonic()


def _metrics(snapshot: Snapshot) -> Iterator[Metric]:
    queue = snapshot.queue
    statuses = GaugeMetricFamily("jobs_in_status", "Jobs that are not finished.", labels=["status"])
    statuses.add_metric([str(JobStatus.QUEUED)], queue.queued)
    statuses.add_metric([str(JobStatus.PROCESSING)], queue.processing)
    yield statuses
    gauges = {
        ("jobs_oldest_queued_seconds", "How long the oldest queued job has waited."): queue.oldest_seconds or 0.0,
        ("jobs_dead_letters", "Jobs given up because they lost their worker too often."): queue.dead_letters,
        ("mails_oldest_unsent_seconds", "How long the oldest unsent mail has waited."): snapshot.oldest_mail_seconds,
    }
    if queue.broker is not None:
        gauges[("workers_alive", "Workers seen lately; absent while Valkey is unavailable.")] = queue.broker.workers
    for (name, description), value in gauges.items():
        yield GaugeMetricFamily(name, description, value=value)
