"""What admins see of all jobs, and the replay of dead letters."""

from uuid import UUID

from sqlalchemy import ColumnElement, Row, TextClause, select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.admin.audit import Actor, record
from backend.admin.models import Action
from backend.infra.db import transaction
from backend.jobs.errors import JobNotFound
from backend.jobs.models import DEAD, Job, JobStatus
from backend.jobs.queue_figures import status_is
from backend.jobs.upkeep import replay

BATCH = 500

JobRows = list[Row[Job, str]]
Conditions = list[ColumnElement[bool] | TextClause]


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
        wanted.append(status_is(status))
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
