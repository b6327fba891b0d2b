"""All users' jobs for admins, and the replay of dead letters."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, TextClause, select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.admin.audit import Actor, record
from backend.admin.models import Action
from backend.infra.db import transaction
from backend.infra.rows import Page, fetch_page, fetch_rows
from backend.jobs.errors import JobNotFound
from backend.jobs.listing import JOB_COLUMNS
from backend.jobs.models import DEAD, Job, JobStatus
from backend.jobs.queue_figures import status_is
from backend.jobs.upkeep import replay

BATCH = 500

Conditions = list[ColumnElement[bool] | TextClause]

_JOBS = (
    select(*JOB_COLUMNS, Job.user_id, Job.request_id, User.email)
    .join(User, User.id == Job.user_id)
    .where(Job.deleted_at.is_(None))
)


def list_jobs(
    session: Session,
    *,
    limit: int,
    cursor: UUID | None,
    status: JobStatus | None = None,
    user_id: UUID | None = None,
    dead: bool = False,
) -> Page:
    """Return a page of all users' jobs, as rows for `schemas.admin_job_document`."""
    wanted: Conditions = []
    if status is not None:
        wanted.append(status_is(status))
    if user_id is not None:
        wanted.append(Job.user_id == user_id)
    if dead:
        wanted.append(DEAD)
    return fetch_page(session, _JOBS.where(*wanted), Job.id, limit=limit, cursor=cursor)


def get_job(session: Session, job_id: UUID) -> Any:
    """Return a job as a row for `schemas.admin_job_document`. Raises JobNotFound."""
    rows = fetch_rows(session, _JOBS.where(Job.id == job_id))
    if not rows:
        raise JobNotFound
    return rows[0]


def replay_dead_letters(sessions: sessionmaker[Session], admin: Actor, named: list[UUID] | None) -> list[UUID]:
    """Queue dead letters again, all of them when `named` is None. Returns the ids of the queued jobs.

    Each batch has its own transaction, so that messages are sent early and locks are short.
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
