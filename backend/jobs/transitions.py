"""Every change of a job's status, each one conditional UPDATE: the only place that assigns `status`.

Two processes may race for the same row; whoever's condition no longer holds changes nothing. Each function
returns the changed job, or None when the condition did not hold.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from backend.infra.db import utc_now
from backend.jobs.failures import Failure
from backend.jobs.models import Job, JobStatus

MAX_ATTEMPTS = 5
UNFINISHED = (JobStatus.QUEUED, JobStatus.PROCESSING)
RETRYABLE = (JobStatus.FAILED, JobStatus.CANCELLED)
NO_LEASE: dict[str, Any] = {"lease_token": None, "lease_expires_at": None}


def start(session: Session, job_id: UUID, lease: timedelta) -> Job | None:
    """Take a queued job: one more attempt, and a lease that only the caller knows."""
    now = utc_now()
    return _change(
        session,
        [Job.id == job_id, Job.status == JobStatus.QUEUED, Job.attempts < Job.attempt_limit],
        status=JobStatus.PROCESSING,
        attempts=Job.attempts + 1,
        progress=0,
        started_at=now,
        lease_token=uuid4(),
        lease_expires_at=now + lease,
    )


def renew(session: Session, job_id: UUID, token: UUID, lease: timedelta) -> bool:
    """Prolong a lease. False when it is lost: the job was cancelled, deleted, or given to another worker."""
    held = [Job.id == job_id, Job.lease_token == token]
    statement = update(Job).where(*held).values(lease_expires_at=utc_now() + lease).returning(Job.id)
    return session.scalar(statement) is not None


def advance(session: Session, job_id: UUID, token: UUID, *, progress: int, facts: dict[str, Any]) -> Job | None:
    """Store progress, and what is known of the original. Needs the lease."""
    return _change(session, [Job.id == job_id, Job.lease_token == token], progress=progress, facts=facts)


def complete(
    session: Session,
    job_id: UUID,
    token: UUID,
    retention: timedelta,
    *,
    results: list[dict[str, Any]],
    facts: dict[str, Any],
) -> Job | None:
    """Complete a job with its results. Needs the lease."""
    return _change(
        session,
        [Job.id == job_id, Job.lease_token == token],
        status=JobStatus.COMPLETED,
        progress=100,
        results=results,
        results_size=sum(result["size"] for result in results),
        facts=facts,
        **_finished(retention),
    )


def fail(
    session: Session, job_id: UUID, token: UUID, code: str, message: str | None, retention: timedelta
) -> Job | None:
    """End a job with a failure code, and the pipeline's sentence if it has one. Needs the lease."""
    return _change(
        session,
        [Job.id == job_id, Job.lease_token == token],
        status=JobStatus.FAILED,
        failure_code=code,
        failure_message=message,
        **_finished(retention),
    )


def put_back(session: Session, job_id: UUID, token: UUID, not_before: datetime) -> Job | None:
    """Return a job to the queue after outside trouble, unless its attempts are used up. Needs the lease."""
    return _change(
        session,
        [Job.id == job_id, Job.lease_token == token, Job.attempts < Job.attempt_limit],
        status=JobStatus.QUEUED,
        progress=0,
        sent_at=not_before,
        **NO_LEASE,
    )


def cancel(session: Session, job_id: UUID, user_id: UUID, retention: timedelta) -> Job | None:
    """Cancel an unfinished job; its worker notices at its next step."""
    return _change(
        session,
        [*_owned(job_id, user_id), Job.status.in_(UNFINISHED)],
        status=JobStatus.CANCELLED,
        **_finished(retention),
    )


def retry(session: Session, job_id: UUID, user_id: UUID | None = None) -> Job | None:
    """Queue a failed or cancelled job again, with a full number of attempts. Without a user: an operator's replay."""
    owner = [Job.user_id == user_id] if user_id else []
    return _change(
        session,
        [Job.id == job_id, *owner, Job.deleted_at.is_(None), Job.status.in_(RETRYABLE)],
        status=JobStatus.QUEUED,
        progress=0,
        failure_code=None,
        failure_message=None,
        attempt_limit=Job.attempts + MAX_ATTEMPTS,
        sent_at=utc_now(),
        started_at=None,
        finished_at=None,
        expires_at=None,
    )


def delete(session: Session, job_id: UUID, user_id: UUID) -> Job | None:
    """Hide a job at once, whatever it is doing; its files go later, by housekeeping."""
    values = _deleted()
    return _change(session, _owned(job_id, user_id), **values)


def delete_expired(session: Session, limit: int) -> list[Job]:
    """Hide finished jobs whose time has come."""
    now = utc_now()
    ids = select(Job.id).where(Job.expires_at < now, Job.deleted_at.is_(None)).limit(limit)
    return _change_all(session, ids, [Job.deleted_at.is_(None)], **_deleted())


def requeue_stale(session: Session, sent_before: datetime, limit: int) -> list[Job]:
    """Mark jobs whose message seems lost as sent again now; the caller sends them."""
    stale = [Job.status == JobStatus.QUEUED, Job.sent_at < sent_before]
    return _change_all(session, select(Job.id).where(*stale).limit(limit), stale, sent_at=utc_now())


def requeue_lost(session: Session, limit: int) -> list[Job]:
    """Queue jobs again whose worker has been silent for a whole lease."""
    lost = [*_lease_ran_out(), Job.attempts < Job.attempt_limit]
    return _change_all(
        session,
        select(Job.id).where(*lost).limit(limit),
        lost,
        status=JobStatus.QUEUED,
        progress=0,
        sent_at=utc_now(),
        **NO_LEASE,
    )


def fail_lost(session: Session, limit: int, retention: timedelta) -> list[Job]:
    """End jobs that lost their worker once too often: dead letters, until somebody retries them."""
    lost = [*_lease_ran_out(), Job.attempts >= Job.attempt_limit]
    return _change_all(
        session,
        select(Job.id).where(*lost).limit(limit),
        lost,
        status=JobStatus.FAILED,
        failure_code=Failure.WORKER_LOST,
        **_finished(retention),
    )


def _owned(job_id: UUID, user_id: UUID) -> list[ColumnElement[bool]]:
    return [Job.id == job_id, Job.user_id == user_id, Job.deleted_at.is_(None)]


def _lease_ran_out() -> list[ColumnElement[bool]]:
    gone = or_(Job.lease_expires_at.is_(None), Job.lease_expires_at < utc_now())
    return [Job.status == JobStatus.PROCESSING, gone]


def _finished(retention: timedelta) -> dict[str, Any]:
    now = utc_now()
    return {"finished_at": now, "expires_at": now + retention, **NO_LEASE}


def _deleted() -> dict[str, Any]:
    # The key is freed: a deleted job must not be answered to a repeated request.
    return {"deleted_at": utc_now(), "status": JobStatus.CANCELLED, "idempotency_key": None, **NO_LEASE}


def _change(session: Session, conditions: list[ColumnElement[bool]], **values: Any) -> Job | None:
    statement = update(Job).where(*conditions).values(**values).returning(Job)
    return session.scalar(statement, execution_options={"populate_existing": True, "synchronize_session": False})


def _change_all(session: Session, ids: Any, conditions: list[ColumnElement[bool]], **values: Any) -> list[Job]:
    # Two sweepers at once take different rows on PostgreSQL; on SQLite one waits for the other.
    ids = ids.with_for_update(skip_locked=True)
    statement = update(Job).where(Job.id.in_(ids), *conditions).values(**values).returning(Job)
    options = {"populate_existing": True, "synchronize_session": False}
    return list(session.scalars(statement, execution_options=options))
