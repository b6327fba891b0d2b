"""What beat tells of the queue: read from the database and from Valkey when somebody asks."""

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

REMEMBERED_SECONDS = 5.0
PATIENCE_SECONDS = 4.0
# Asked first, and twice when it is silent: time must be left for the database.
VALKEY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Picture:
    """What was read, and how old the oldest mail is that was not sent."""

    queue: QueueFigures
    oldest_mail_seconds: float


class QueueCollector(Collector):
    """Reads at most once in five seconds, and in a thread: a database that never answers must not hold up a scrape."""

    def __init__(self, settings: Settings) -> None:
        self._sessions = create_read_sessions(create_engine(settings.model_copy(update={"DATABASE_POOL_SIZE": 1})))
        self._queue = Queue(settings)
        self._queue.redis = connect(settings, timeout=VALKEY_SECONDS)
        self._lock = threading.Lock()
        self._reader: threading.Thread | None = None
        self._read_at = -REMEMBERED_SECONDS
        self._picture: Picture | None = None

    def describe(self) -> list[Metric]:
        """Return nothing: whoever registers this would else read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield what is known; while the database is away, that it is."""
        picture = self._look()
        yield GaugeMetricFamily(
            "metrics_database_up",
            "Whether the figures of the queue could be read; without them their series are absent.",
            value=picture is not None,
        )
        if picture is not None:
            yield from _metrics(picture)

    def _look(self) -> Picture | None:
        with self._lock:
            if time.monotonic() - self._read_at < REMEMBERED_SECONDS:
                return self._picture
            if self._reader is None or not self._reader.is_alive():
                self._reader = threading.Thread(target=self._read, daemon=True, name="queue-metrics")
                self._reader.start()
            reader = self._reader
        reader.join(PATIENCE_SECONDS)
        return None if reader.is_alive() else self._picture

    def _read(self) -> None:
        try:
            with self._sessions() as session:
                picture = Picture(read_queue(session, self._queue), oldest_unsent_seconds(session))
        except Exception as error:
            log.warning("queue_metrics_failed", error=type(error).__name__)
            picture = None
        self._picture, self._read_at = picture, time.monotonic()


def _metrics(picture: Picture) -> Iterator[Metric]:
    queue = picture.queue
    statuses = GaugeMetricFamily("jobs_in_status", "Jobs that are not finished.", labels=["status"])
    statuses.add_metric([str(JobStatus.QUEUED)], queue.queued)
    statuses.add_metric([str(JobStatus.PROCESSING)], queue.processing)
    yield statuses
    gauges = {
        ("jobs_oldest_queued_seconds", "How long the oldest queued job has waited."): queue.oldest_seconds or 0.0,
        ("jobs_dead_letters", "Jobs that lost their worker once too often."): queue.dead_letters,
        ("mails_oldest_unsent_seconds", "How long the oldest unsent mail has waited."): picture.oldest_mail_seconds,
    }
    if queue.broker is not None:
        gauges[("workers_alive", "Workers that gave a sign of life lately; absent while Valkey is away.")] = (
            queue.broker.workers
        )
    for (name, description), value in gauges.items():
        yield GaugeMetricFamily(name, description, value=value)
