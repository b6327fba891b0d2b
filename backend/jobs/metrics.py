"""Metrics of jobs, counted after the transaction commits."""

from prometheus_client import Counter
from sqlalchemy.orm import Session

from backend.infra.db import after_commit
from backend.jobs.models import Job, JobStatus

CREATED = Counter("jobs_created_total", "Jobs accepted.")
# Codes are constants, never text from a user, because each value creates a permanent series.
FINISHED = Counter("jobs_finished_total", "Jobs that a worker completed or failed.", ["status", "code"])
RETRIES = Counter("job_retries_total", "Jobs queued again after an infrastructure error.", ["code"])


def count_created(session: Session) -> None:
    after_commit(session, CREATED.inc)


def count_finished(session: Session, job: Job) -> None:
    code = str(job.failure_code) if job.status == JobStatus.FAILED else ""
    after_commit(session, FINISHED.labels(job.status, code).inc)


def count_retry(session: Session, code: str) -> None:
    after_commit(session, RETRIES.labels(code).inc)
