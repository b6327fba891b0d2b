"""Metrics of jobs, counted once what they tell is committed."""

from prometheus_client import Counter
from sqlalchemy.orm import Session

from backend.infra.db import after_commit
from backend.jobs.failures import MESSAGES
from backend.jobs.models import Job, JobStatus

CREATED = Counter("jobs_created_total", "Jobs accepted.")
FINISHED = Counter("jobs_finished_total", "Jobs that a worker brought to an end.", ["status", "code"])
RETRIES = Counter("job_retries_total", "Jobs queued again after trouble that was not theirs.", ["code"])


def count_created(session: Session) -> None:
    """Count a new job."""
    after_commit(session, CREATED.inc)


def count_finished(session: Session, job: Job) -> None:
    """Count a job that completed or failed."""
    code = known_code(job.failure_code) if job.status == JobStatus.FAILED else ""
    after_commit(session, FINISHED.labels(job.status, code).inc)


def count_retry(session: Session, code: str) -> None:
    """Count a job that is queued again; `code` is one of a closed list."""
    after_commit(session, RETRIES.labels(code).inc)


def known_code(code: str | None) -> str:
    """Return a failure's code, or "other": each value of a label is a series that is kept for good."""
    return str(code) if code in MESSAGES else "other"
