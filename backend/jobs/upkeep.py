"""Housekeeping of jobs: requeue lost jobs, delete expired files and rows. Safe to repeat and to run concurrently."""

from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, delete, exists, func, select
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction, utc_now
from backend.infra.queue import enqueue
from backend.infra.storage import Storage
from backend.jobs import events, transitions
from backend.jobs.failures import Failure
from backend.jobs.metrics import count_finished, count_retry
from backend.jobs.models import DEAD, Job, JobStatus, Upload
from backend.jobs.quotas import may_arrive
from backend.jobs.service import results_prefix
from backend.settings import Settings
from backend.tasks import Task

log = structlog.get_logger(__name__)

BATCH = 500


def requeue_lost_jobs(sessions: sessionmaker[Session], settings: Settings, depth: int) -> int:
    """Send queued jobs without a message again, and jobs that lost their worker. Returns how many were sent.

    `depth` is the number of messages in the broker. If it has one per queued job, no message is lost, and sending more
    would only overload the broker.
    """
    with transaction(sessions) as session:
        lost = transitions.requeue_lost(session, BATCH)
        for _job in lost:
            count_retry(session, Failure.WORKER_LOST)
        for job in transitions.fail_lost(session, BATCH, timedelta(days=settings.RETENTION_DAYS)):
            log.error("job_failed", job_id=str(job.id), code=job.failure_code, attempts=job.attempts)
            events.publish(session, job)
            count_finished(session, job)
        if _count_queued(session) - len(lost) > depth:
            sent_before = utc_now() - timedelta(seconds=settings.JOB_REQUEUE_AFTER_SECONDS)
            lost += transitions.requeue_stale(session, sent_before, BATCH)
        for job in lost:
            log.warning("job_requeued", job_id=str(job.id), attempts=job.attempts, request_id=job.request_id)
            enqueue(session, Task.PROCESS_JOB, job.id)
            events.publish(session, job)
    return len(lost)


def expire(sessions: sessionmaker[Session], storage: Storage) -> int:
    """Hide jobs past RETENTION_DAYS, and delete uploads without a job. Returns the number of jobs."""
    with transaction(sessions) as session:
        expired = transitions.delete_expired(session, BATCH)
        for job in expired:
            events.publish(session, job)
        abandoned = session.execute(_abandoned_uploads()).all()
    for upload_id, key in abandoned:
        # The file first: after a crash in between, the row is left and the next run finds it.
        storage.delete_prefix(key)
        with transaction(sessions) as session:
            session.execute(delete(Upload).where(Upload.id == upload_id, ~_has_job()))
    return len(expired)


def purge_deleted(sessions: sessionmaker[Session], settings: Settings, storage: Storage) -> int:
    """Delete the files and rows of hidden jobs. Returns how many.

    A job is kept for one lease after its deletion, until its worker has stopped writing. An upload whose file may be
    sent again is kept too. `expire` deletes it later, with any file sent again.
    """
    hidden_before = utc_now() - timedelta(seconds=settings.JOB_LEASE_SECONDS)
    with transaction(sessions) as session:
        rows = session.execute(
            select(Job.id, Job.original_key).where(Job.deleted_at < hidden_before).limit(BATCH)
        ).all()
    for job_id, original_key in rows:
        storage.delete_prefix(original_key)
        storage.delete_prefix(results_prefix(job_id))
        with transaction(sessions) as session:
            upload_id = session.scalar(delete(Job).where(Job.id == job_id).returning(Job.upload_id))
            session.execute(delete(Upload).where(Upload.id == upload_id, ~may_arrive()))
    return len(rows)


def delete_jobs_of(user_id: UUID, sessions: sessionmaker[Session], storage: Storage) -> None:
    """Delete all jobs of a closed account and their results, in batches."""
    while True:
        with sessions() as session:
            job_ids = session.scalars(select(Job.id).where(Job.user_id == user_id).limit(BATCH)).all()
        if not job_ids:
            return
        for job_id in job_ids:
            storage.delete_prefix(results_prefix(job_id))
        with transaction(sessions) as session:
            session.execute(delete(Job).where(Job.id.in_(job_ids)))


def delete_uploads_of(session: Session, user_id: UUID) -> bool:
    """Delete a closed account's uploads. Returns False and deletes nothing while a file may still be sent."""
    if session.scalar(select(exists().where(Upload.user_id == user_id, may_arrive()))):
        return False
    session.execute(delete(Upload).where(Upload.user_id == user_id))
    return True


def dead_letters(session: Session) -> list[Job]:
    return list(session.scalars(select(Job).where(DEAD, Job.deleted_at.is_(None)).order_by(Job.id)))


def replay(session: Session, job_ids: list[UUID]) -> list[Job]:
    """Queue failed jobs again. Returns the jobs that were queued."""
    replayed = [job for job in (transitions.retry(session, job_id) for job_id in job_ids) if job is not None]
    for job in replayed:
        enqueue(session, Task.PROCESS_JOB, job.id)
        events.publish(session, job)
    return replayed


def _count_queued(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Job).where(Job.status == JobStatus.QUEUED)) or 0


def _abandoned_uploads() -> Select[UUID, str]:
    return select(Upload.id, Upload.key).where(~may_arrive(), ~_has_job()).limit(BATCH)


def _has_job() -> ColumnElement[bool]:
    return exists().where(Job.upload_id == Upload.id)
