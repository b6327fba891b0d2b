"""What a worker does to a job: take it, report on it, end it. Each function publishes what it changed."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.accounts.service import find_user_to_mail
from backend.infra.db import utc_now
from backend.infra.queue import enqueue
from backend.jobs import events, transitions
from backend.jobs.failures import Failure
from backend.jobs.metrics import count_finished
from backend.jobs.models import Job
from backend.mails.service import queue_mail
from backend.settings import Settings
from backend.tasks import Task


class LeaseLost(Exception):
    """The job is not this worker's any more: cancelled, deleted, or taken over after silence."""


def start_job(session: Session, settings: Settings, job_id: UUID) -> Job | None:
    """Take a queued job; None when a message is late or came twice."""
    job = transitions.start(session, job_id, timedelta(seconds=settings.JOB_LEASE_SECONDS))
    if job is not None:
        events.publish(session, job)
    return job


def renew_lease(session: Session, settings: Settings, job_id: UUID, token: UUID) -> bool:
    """Give a sign of life. False when the lease is lost."""
    return transitions.renew(session, job_id, token, timedelta(seconds=settings.JOB_LEASE_SECONDS))


def advance_job(session: Session, job_id: UUID, token: UUID, progress: int, facts: dict[str, Any]) -> None:
    """Store progress in percent, and what is known of the original. Raises LeaseLost."""
    events.publish(session, _held(transitions.advance(session, job_id, token, progress=progress, facts=facts)))


def complete_job(
    session: Session,
    settings: Settings,
    job_id: UUID,
    token: UUID,
    results: list[dict[str, Any]],
    facts: dict[str, Any],
) -> None:
    """Make the results visible. Raises LeaseLost."""
    retention = timedelta(days=settings.RETENTION_DAYS)
    job = _held(transitions.complete(session, job_id, token, retention, results=results, facts=facts))
    events.publish(session, job)
    count_finished(session, job)
    _mail_owner(session, job)


def fail_job(
    session: Session, settings: Settings, job_id: UUID, token: UUID, code: str, message: str | None = None
) -> None:
    """End the job with a failure. `message` is the pipeline's sentence for its user. Raises LeaseLost."""
    retention = timedelta(days=settings.RETENTION_DAYS)
    job = _held(transitions.fail(session, job_id, token, code, message, retention))
    events.publish(session, job)
    count_finished(session, job)


def put_back_job(session: Session, settings: Settings, job_id: UUID, token: UUID, wait: timedelta) -> bool:
    """Queue the job again for after `wait`, and return whether it was: it fails when its attempts are used up.

    Raises LeaseLost.
    """
    job = transitions.put_back(session, job_id, token, utc_now() + wait)
    if job is None:
        fail_job(session, settings, job_id, token, Failure.STORAGE_UNAVAILABLE)
        return False
    enqueue(session, Task.PROCESS_JOB, job.id, delay=wait.total_seconds())
    events.publish(session, job)
    return True


def _mail_owner(session: Session, job: Job) -> None:
    user = find_user_to_mail(session, job.user_id)
    if user is not None:
        queue_mail(
            session,
            event=f"job-finished:{job.id.hex}:{job.attempts}",
            recipient=user.email,
            template="job_finished",
            context={"name": user.name, "filename": job.filename},
            request_id=job.request_id,
        )


def _held(job: Job | None) -> Job:
    if job is None:
        raise LeaseLost
    return job
