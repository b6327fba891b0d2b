"""What a worker does with a job: start it, report progress, finish it. Each function publishes its change."""

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
    """The job no longer belongs to this worker: it was cancelled, deleted, or its lease expired."""


def start_job(session: Session, settings: Settings, job_id: UUID) -> Job | None:
    """Start a queued job. Returns None when the message is late or a duplicate."""
    job = transitions.start(session, job_id, timedelta(seconds=settings.JOB_LEASE_SECONDS))
    if job is not None:
        events.publish(session, job)
    return job


def renew_lease(session: Session, settings: Settings, job_id: UUID, token: UUID) -> bool:
    """Renew the lease. Returns False when it is lost."""
    return transitions.renew(session, job_id, token, timedelta(seconds=settings.JOB_LEASE_SECONDS))


def advance_job(session: Session, job_id: UUID, token: UUID, progress: int, facts: dict[str, Any]) -> None:
    """Store the progress in percent and the facts about the original. Raises LeaseLost."""
    events.publish(session, _held(transitions.advance(session, job_id, token, progress=progress, facts=facts)))


def complete_job(
    session: Session,
    settings: Settings,
    job_id: UUID,
    token: UUID,
    results: list[dict[str, Any]],
    facts: dict[str, Any],
) -> None:
    """Store the results and complete the job. Raises LeaseLost."""
    retention = timedelta(days=settings.RETENTION_DAYS)
    job = _held(transitions.complete(session, job_id, token, retention, results=results, facts=facts))
    events.publish(session, job)
    count_finished(session, job)
    _mail_owner(session, job)


def fail_job(
    session: Session, settings: Settings, job_id: UUID, token: UUID, code: str, message: str | None = None
) -> None:
    """Fail the job. `message` is the pipeline's message for the user. Raises LeaseLost."""
    retention = timedelta(days=settings.RETENTION_DAYS)
    job = _held(transitions.fail(session, job_id, token, code, message, retention))
    events.publish(session, job)
    count_finished(session, job)


def put_back_job(session: Session, settings: Settings, job_id: UUID, token: UUID, wait: timedelta) -> bool:
    """Queue the job again after `wait`. Returns False when its attempts are used up: the job then fails.

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
