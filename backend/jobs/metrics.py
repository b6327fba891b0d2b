"""Metrics of jobs, counted once what they tell is committed."""

from prometheus_client import Counter
from sqlalchemy.orm import Session

from backend.infra.db import after_commit
from backend.jobs.models import Job, JobStatus

CREATED = Counter("jobs_created_total", "Jobs accepted.")
# Codes are constants of the code, never text from a user: each value is a series that is kept.
FINISHED = Counter("jobs_finished_total", "Jobs that a worker brought to an end.", ["status", "code"])
RETRIES = Counter("job_retries_total", "Jobs queued again after trouble that was not theirs.", ["code"])


def count_created(session: Session) -> None:
    """Count a new job."""
    after_commit(session, CREATED.inc)


def count_finished(session: Session, job: Job) -> None:
    """Count a job that completed or failed."""
    code = str(job.failure_code) if job.status == JobStatus.FAILED else ""
    after_commit(session, FINISHED.labels(job.status, code).inc)


def count_retry(session: Session, code: str) -> None:
    """Count a job that is queued again; `code` is one of a closed list."""
    after_commit(session, RETRIES.labels(code).inc)
