"""Every change of a job's status, each a single conditional UPDATE. No other module assigns `status`.

If two processes change the same row, the condition of the second fails and it changes nothing. Each function
returns the changed job, or None when the condition failed.
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
    """Start a queued job: count an attempt and create a lease for the caller."""
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
    """Renew a lease. Returns False when it is lost: the job was cancelled, deleted, or given to another worker."""
    held = [Job.id == job_id, Job.lease_token == token]
    statement = update(Job).where(*held).values(lease_expires_at=utc_now() + lease).returning(Job.id)
    return session.scalar(statement) is not None


def advance(session: Session, job_id: UUID, token: UUID, *, progress: int, facts: dict[str, Any]) -> Job | None:
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
    return _change(
        session,
        [Job.id == job_id, Job.lease_token == token],
        status=JobStatus.FAILED,
        failure_code=code,
        failure_message=message,
        **_finished(retention),
    )


def put_back(session: Session, job_id: UUID, token: UUID, not_before: datetime) -> Job | None:
    """Queue a job again after an infrastructure error, unless its attempts are used up. Needs the lease."""
    return _change(
        session,
        [Job.id == job_id, Job.lease_token == token, Job.attempts < Job.attempt_limit],
        status=JobStatus.QUEUED,
        progress=0,
        sent_at=not_before,
        **NO_LEASE,
    )


def cancel(session: Session, job_id: UUID, user_id: UUID, retention: timedelta) -> Job | None:
    """Cancel an unfinished job. Its worker stops at its next step."""
    return _change(
        session,
        [*_owned(job_id, user_id), Job.status.in_(UNFINISHED)],
        status=JobStatus.CANCELLED,
        **_finished(retention),
    )


def retry(session: Session, job_id: UUID, user_id: UUID | None = None) -> Job | None:
    """Queue a failed or cancelled job again with new attempts. Without `user_id`: replay by an operator."""
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
    """Hide a job immediately, in any state. Housekeeping deletes its files later."""
    values = _deleted()
    return _change(session, _owned(job_id, user_id), **values)


def delete_expired(session: Session, limit: int) -> list[Job]:
    """Hide finished jobs past their `expires_at`."""
    now = utc_now()
    ids = select(Job.id).where(Job.expires_at < now, Job.deleted_at.is_(None)).limit(limit)
    return _change_all(session, ids, [Job.deleted_at.is_(None)], **_deleted())


def requeue_stale(session: Session, sent_before: datetime, limit: int) -> list[Job]:
    """Mark jobs whose message is probably lost as sent again. The caller sends them."""
    stale = [Job.status == JobStatus.QUEUED, Job.sent_at < sent_before]
    return _change_all(session, select(Job.id).where(*stale).limit(limit), stale, sent_at=utc_now())


def requeue_lost(session: Session, limit: int) -> list[Job]:
    """Queue jobs again whose worker has let the lease expire."""
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
    """Fail jobs that lost their worker too often. They are dead letters until a retry."""
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
    expired = or_(Job.lease_expires_at.is_(None), Job.lease_expires_at < utc_now())
    return [Job.status == JobStatus.PROCESSING, expired]


def _finished(retention: timedelta) -> dict[str, Any]:
    now = utc_now()
    return {"finished_at": now, "expires_at": now + retention, **NO_LEASE}


def _deleted() -> dict[str, Any]:
    # Frees the key: a repeated request must not return a deleted job.
    return {"deleted_at": utc_now(), "status": JobStatus.CANCELLED, "idempotency_key": None, **NO_LEASE}


def _change(session: Session, conditions: list[ColumnElement[bool]], **values: Any) -> Job | None:
    statement = update(Job).where(*conditions).values(**values).returning(Job)
    return session.scalar(statement, execution_options={"populate_existing": True, "synchronize_session": False})


def _change_all(session: Session, ids: Any, conditions: list[ColumnElement[bool]], **values: Any) -> list[Job]:
    # Two concurrent calls lock different rows on PostgreSQL; on SQLite one waits for the other.
    ids = ids.with_for_update(skip_locked=True)
    statement = update(Job).where(Job.id.in_(ids), *conditions).values(**values).returning(Job)
    options = {"populate_existing": True, "synchronize_session": False}
    return list(session.scalars(statement, execution_options=options))
