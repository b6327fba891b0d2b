"""The list of jobs, the hottest read: one statement, run on the native driver where that is PostgreSQL's."""

from functools import cache
from typing import Any
from uuid import UUID

from psycopg.rows import namedtuple_row
from sqlalchemy import Dialect, Select, Text, bindparam, cast, select
from sqlalchemy.orm import Session

from backend.jobs.models import Job

NEWEST = UUID(int=2**128 - 1)

_columns: tuple[Any, ...] = (
    Job.id,
    Job.status,
    Job.progress,
    *(Job.preset, Job.enhance, Job.watermark),
    *(Job.filename, Job.content_type, Job.size, Job.width, Job.height),
    # As text, which goes into the answer as it is; parsing four results of twenty jobs costs a tenth of the request.
    cast(Job.results, Text).label("results"),
    Job.failure_code,
    Job.attempts,
    *(Job.created_at, Job.started_at, Job.finished_at, Job.expires_at),
)


def list_jobs(session: Session, user_id: UUID, *, limit: int, before: UUID | None = None) -> list[Any]:
    """Return up to `limit` rows for `schemas.job_document`, newest first, older than the job `before`.

    SQLAlchemy's result handling costs twice what the query itself does (measured with `make bench`), so on
    PostgreSQL the statement it compiled once runs on the psycopg connection behind the session.
    """
    parameters = {"user_id": user_id, "before": before or NEWEST, "limit": limit}
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return list(connection.execute(_statement(), parameters))
    native: Any = connection.connection.driver_connection
    with native.cursor(row_factory=namedtuple_row) as cursor:
        rows: list[Any] = cursor.execute(_compiled(connection.dialect), parameters).fetchall()
    return rows


@cache
def _statement() -> Select[Any]:
    owned = (Job.user_id == bindparam("user_id"), Job.deleted_at.is_(None), Job.id < bindparam("before"))
    return select(*_columns).where(*owned).order_by(Job.id.desc()).limit(bindparam("limit"))


@cache
def _compiled(dialect: Dialect) -> str:
    return str(_statement().compile(dialect=dialect))
