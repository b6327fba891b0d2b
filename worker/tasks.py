"""Celery tasks: shells that pass an id to the function that does the work."""

from uuid import UUID

from backend.infra.queue import Task
from backend.jobs import upkeep
from backend.settings import get_settings
from worker import resources
from worker.app import app
from worker.process_job import process_job as run_job


@app.task(name=str(Task.PROCESS_JOB))
def process_job(job_id: str) -> None:
    """Process one job, or nothing when the message is late or came twice."""
    run_job(UUID(job_id), get_settings(), resources.sessions(), resources.storage())


@app.task(name=str(Task.REQUEUE_LOST_JOBS))
def requeue_lost_jobs() -> None:
    """Send again what waits without a message, and what lost its worker."""
    upkeep.requeue_lost_jobs(resources.sessions(), get_settings(), resources.queue().depth())


@app.task(name=str(Task.EXPIRE))
def expire() -> None:
    """Hide what is past its time."""
    upkeep.expire(resources.sessions(), resources.storage())


@app.task(name=str(Task.PURGE_DELETED))
def purge_deleted() -> None:
    """Delete the files and rows of hidden jobs."""
    upkeep.purge_deleted(resources.sessions(), get_settings(), resources.storage())
