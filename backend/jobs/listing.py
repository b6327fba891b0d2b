"""The list of a user's jobs, the most frequent query."""

from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, cast, select
from sqlalchemy.orm import Session

from backend.infra.rows import Page, fetch_page
from backend.jobs.models import Job

# The columns that `schemas.job_document` reads.
JOB_COLUMNS: tuple[Any, ...] = (
    Job.id,
    Job.status,
    Job.progress,
    *(Job.filename, Job.content_type, Job.size),
    # JSON as text, which is copied into the response: parsing it for twenty jobs takes a tenth of the request's time.
    *(cast(column, Text).label(column.key) for column in (Job.recipe, Job.facts, Job.results)),
    *(Job.failure_code, Job.failure_message),
    Job.attempts,
    *(Job.created_at, Job.started_at, Job.finished_at, Job.expires_at),
)

_JOBS_OF_USER = select(*JOB_COLUMNS).where(Job.user_id == bindparam("user_id"), Job.deleted_at.is_(None))


def list_jobs(session: Session, user_id: UUID, *, limit: int, cursor: UUID | None = None) -> Page:
    return fetch_page(session, _JOBS_OF_USER, Job.id, limit=limit, cursor=cursor, user_id=user_id)
