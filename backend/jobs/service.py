"""Operations of users on their jobs."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.infra.db import new_id
from backend.infra.queue import enqueue
from backend.infra.storage import Storage
from backend.jobs import events, quotas, transitions
from backend.jobs.errors import (
    IdempotencyKeyReused,
    JobNotCancellable,
    JobNotFound,
    JobNotRetryable,
    ResultNotFound,
    UploadUsed,
)
from backend.jobs.metrics import count_created
from backend.jobs.models import Job
from backend.jobs.schemas import JobIn
from backend.jobs.uploads import get_finished_upload
from backend.settings import Settings
from backend.tasks import Task

DOWNLOAD_SECONDS = 300


def create_job(
    session: Session,
    storage: Storage,
    settings: Settings,
    *,
    user_id: UUID,
    wanted: JobIn,
    idempotency_key: str | None,
    request_id: str,
) -> Job:
    """Queue a job for an uploaded file. The same Idempotency-Key returns the same job.

    Raises IdempotencyKeyReused, UploadUsed, and the errors of `get_finished_upload` and `count_job`.
    """
    repeated = _find_repeated(session, user_id, wanted, idempotency_key)
    if repeated is not None:
        return repeated
    upload = get_finished_upload(session, storage, user_id, wanted.upload_id)
    job = Job(
        id=new_id(),
        user_id=user_id,
        upload_id=upload.id,
        idempotency_key=idempotency_key,
        request_id=request_id,
        recipe=wanted.recipe.model_dump(mode="json"),
        original_key=upload.key,
        filename=upload.filename,
        content_type=upload.content_type,
        size=upload.size,
        attempt_limit=transitions.MAX_ATTEMPTS,
    )
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError as error:
        repeated = _find_repeated(session, user_id, wanted, idempotency_key)
        if repeated is not None:
            return repeated
        raise UploadUsed from error
    quotas.count_job(session, settings, user_id)
    _send(session, job)
    count_created(session)
    return job


def get_job(session: Session, user_id: UUID, job_id: UUID) -> Job:
    """Return a user's job. Raises JobNotFound."""
    job = session.scalar(select(Job).where(Job.id == job_id, Job.user_id == user_id, Job.deleted_at.is_(None)))
    if job is None:
        raise JobNotFound
    return job


def cancel_job(session: Session, settings: Settings, user_id: UUID, job_id: UUID) -> Job:
    """Cancel a queued or processing job. Raises JobNotFound, JobNotCancellable."""
    job = transitions.cancel(session, job_id, user_id, timedelta(days=settings.RETENTION_DAYS))
    if job is None:
        get_job(session, user_id, job_id)
        raise JobNotCancellable
    events.publish(session, job)
    return job


def retry_job(session: Session, settings: Settings, user_id: UUID, job_id: UUID) -> Job:
    """Queue a failed or cancelled job again. Raises JobNotFound, JobNotRetryable, and the errors of `count_job`."""
    job = transitions.retry(session, job_id, user_id)
    if job is None:
        get_job(session, user_id, job_id)
        raise JobNotRetryable
    quotas.count_job(session, settings, user_id)
    _send(session, job)
    return job


def delete_job(session: Session, user_id: UUID, job_id: UUID) -> None:
    """Delete a job in any state. Housekeeping deletes its files later. Raises JobNotFound."""
    job = transitions.delete(session, job_id, user_id)
    if job is None:
        raise JobNotFound
    events.publish(session, job)


def sign_result(session: Session, storage: Storage, user_id: UUID, job_id: UUID, name: str) -> str:
    """Return a download URL that is valid for DOWNLOAD_SECONDS. Raises JobNotFound, ResultNotFound."""
    job = get_job(session, user_id, job_id)
    for result in job.results:
        if result["name"] == name:
            stem = job.filename.rsplit(".", 1)[0]
            return storage.sign_download(
                result_key(job_id, job.attempts, name),
                filename=f"{stem}-{name}",
                content_type=result["content_type"],
                expires_in=DOWNLOAD_SECONDS,
            )
    raise ResultNotFound


def result_key(job_id: UUID, attempt: int, name: str) -> str:
    """Return a result's storage key.

    It contains the attempt, so that a worker that lost its lease can't overwrite the files of a later attempt.
    """
    return f"{results_prefix(job_id)}{attempt}/{name}"


def results_prefix(job_id: UUID) -> str:
    return f"results/{job_id.hex}/"


def _send(session: Session, job: Job) -> None:
    enqueue(session, Task.PROCESS_JOB, job.id)
    events.publish(session, job)


def _find_repeated(session: Session, user_id: UUID, wanted: JobIn, key: str | None) -> Job | None:
    if key is None:
        return None
    job = session.scalar(select(Job).where(Job.user_id == user_id, Job.idempotency_key == key))
    if job is None:
        return None
    if (job.upload_id, job.recipe) != (wanted.upload_id, wanted.recipe.model_dump(mode="json")):
        raise IdempotencyKeyReused
    return job
