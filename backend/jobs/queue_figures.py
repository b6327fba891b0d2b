"""How many jobs are queued, processing and dead, and for how long: for admins and for metrics."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, TextClause, func, literal_column, select
from sqlalchemy.orm import Session

from backend.infra.db import utc_now
from backend.infra.queue import BrokerFigures, Queue
from backend.jobs.models import DEAD, Job, JobStatus


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """Jobs by state. `broker` is None while Valkey is unavailable."""

    broker: BrokerFigures | None
    queued: int
    processing: int
    oldest_sent_at: datetime | None
    dead_letters: int

    @property
    def oldest_seconds(self) -> float | None:
        """Seconds since the oldest queued job was sent; 0 when it is due later."""
        if self.oldest_sent_at is None:
            return None
        return max(0.0, round((utc_now() - self.oldest_sent_at).total_seconds(), 1))


def read_queue(session: Session, queue: Queue) -> QueueFigures:
    return QueueFigures(
        broker=queue.find_figures(),
        queued=_count(session, [status_is(JobStatus.QUEUED)]),
        processing=_count(session, [status_is(JobStatus.PROCESSING)]),
        oldest_sent_at=session.scalar(select(func.min(Job.sent_at)).where(status_is(JobStatus.QUEUED))),
        dead_letters=_count(session, [DEAD, Job.deleted_at.is_(None)]),
    )


def status_is(status: JobStatus) -> ColumnElement[bool]:
    """Match a job's status with a literal in the SQL.

    With a parameter, PostgreSQL's generic plan can't use the partial indexes.
    """
    return Job.status == literal_column(f"'{status}'")


def _count(session: Session, conditions: list[ColumnElement[bool] | TextClause]) -> int:
    return session.scalar(select(func.count()).select_from(Job).where(*conditions)) or 0
