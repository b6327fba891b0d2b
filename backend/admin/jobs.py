"""What admins see of everybody's jobs and of the queue, and the replay of dead letters."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, ColumnOperators, Row, TextClause, bindparam, func, select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.admin.audit import Actor, record
from backend.admin.models import Action
from backend.infra.db import transaction, utc_now
from backend.infra.queue import BrokerFigures, Queue
from backend.jobs.errors import JobNotFound
from backend.jobs.models import DEAD, Job, JobStatus
from backend.jobs.upkeep import replay

BATCH = 500

JobRows = list[Row[Job, str]]
Conditions = list[ColumnElement[bool] | TextClause]


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How work flows; `broker` is None while Valkey is away."""

    broker: BrokerFigures | None
    queued: int
    processing: int
    oldest_sent_at: datetime | None
    dead_letters: int

    @property
    def oldest_seconds(self) -> float | None:
        """How long ago the job that waits longest was sent; one to be sent later waits no time at all."""
        if self.oldest_sent_at is None:
            return None
        return max(0.0, round((utc_now() - self.oldest_sent_at).total_seconds(), 1))


def list_jobs(
    session: Session,
    *,
    limit: int,
    before: UUID | None,
    status: JobStatus | None = None,
    user_id: UUID | None = None,
    dead: bool = False,
) -> JobRows:
    """Return jobs of everybody with their owners' addresses, newest first."""
    wanted: Conditions = [Job.deleted_at.is_(None)]
    if before is not None:
        wanted.append(Job.id < before)
    if status is not None:
        wanted.append(_is(Job.status, status))
    if user_id is not None:
        wanted.append(Job.user_id == user_id)
    if dead:
        wanted.append(DEAD)
    jobs = select(Job, User.email).join(User, User.id == Job.user_id)
    return list(session.execute(jobs.where(*wanted).order_by(Job.id.desc()).limit(limit)))


def get_job(session: Session, job_id: UUID) -> Row[Job, str]:
    """Return anybody's job and its owner's address. Raises JobNotFound."""
    wanted = (Job.id == job_id, Job.deleted_at.is_(None))
    found = session.execute(select(Job, User.email).join(User, User.id == Job.user_id).where(*wanted)).one_or_none()
    if found is None:
        raise JobNotFound
    return found


def read_queue(session: Session, queue: Queue) -> QueueFigures:
    """Return how work flows, by the database alone while Valkey is away."""
    return QueueFigures(
        broker=queue.find_figures(),
        queued=_count(session, [_is(Job.status, JobStatus.QUEUED)]),
        processing=_count(session, [_is(Job.status, JobStatus.PROCESSING)]),
        oldest_sent_at=session.scalar(select(func.min(Job.sent_at)).where(_is(Job.status, JobStatus.QUEUED))),
        dead_letters=_count(session, [DEAD, Job.deleted_at.is_(None)]),
    )


def replay_dead_letters(sessions: sessionmaker[Session], admin: Actor, named: list[UUID] | None) -> list[UUID]:
    """Queue dead letters again, all when none are named, and return those that were.

    Each batch is a transaction of its own: messages go out while the next is read, and no lock is held for long.
    """
    replayed: list[UUID] = []
    after = UUID(int=0)
    while True:
        with transaction(sessions) as session:
            batch = _dead_letters_after(session, after, named)
            done = [job.id for job in replay(session, batch)]
            if done:
                record(session, admin, Action.REPLAY_JOBS, "job", job_ids=[str(job_id) for job_id in done])
        replayed += done
        if len(batch) < BATCH:
            return replayed
        after = batch[-1]


def _dead_letters_after(session: Session, after: UUID, named: list[UUID] | None) -> list[UUID]:
    wanted: Conditions = [DEAD, Job.deleted_at.is_(None), Job.id > after]
    if named is not None:
        wanted.append(Job.id.in_(named))
    return list(session.scalars(select(Job.id).where(*wanted).order_by(Job.id).limit(BATCH)))


def _count(session: Session, wanted: Conditions) -> int:
    return session.scalar(select(func.count()).select_from(Job).where(*wanted)) or 0


def _is(column: ColumnOperators, word: str) -> ColumnElement[bool]:
    # In the statement itself: with a parameter PostgreSQL's generic plan can't use the partial indexes.
    same: ColumnElement[bool] = column == bindparam(None, str(word), literal_execute=True)
    return same
