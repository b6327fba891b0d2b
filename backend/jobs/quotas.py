"""Quotas of one account: unfinished jobs, jobs per day, stored bytes.

Each check first locks the account's row, so that two concurrent requests can't both pass on the last free place.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from backend.accounts.models import User
from backend.errors import Unauthorized
from backend.infra.db import utc_now
from backend.jobs.errors import TooManyBytes, TooManyJobsRunning, TooManyJobsToday
from backend.jobs.models import Job, Upload
from backend.jobs.transitions import UNFINISHED
from backend.settings import Settings

DAY = timedelta(days=1)
# By then, an upload that started just before its expiry has finished, and its job exists if the user requested one.
ABANDONED_AFTER = timedelta(hours=1)


def check_bytes(session: Session, settings: Settings, user_id: UUID, wanted: int) -> None:
    """Check that a file fits into the quota, with all stored and announced files. Raises TooManyBytes."""
    quota = _first(_lock(session, user_id).quota_bytes, settings.QUOTA_BYTES)
    used = stored_bytes(session, user_id)
    if used + wanted > quota:
        raise TooManyBytes(
            f"{used} of {quota} bytes are in use, and the file has {wanted}. Delete jobs to free space. "
            "Files of deleted jobs still count for about an hour after their upload expires."
        )


def count_job(session: Session, settings: Settings, user_id: UUID) -> None:
    """Count a queued job. Raises TooManyJobsRunning, TooManyJobsToday; the caller then rolls back."""
    user = _lock(session, user_id)
    quota = _first(user.quota_jobs_running, settings.QUOTA_JOBS_RUNNING)
    if _count_unfinished(session, user_id) > quota:
        raise TooManyJobsRunning(f"At most {quota} jobs can wait or run at a time. Wait until one finishes.")
    now = utc_now()
    if user.jobs_counted_from is None or user.jobs_counted_from <= now - DAY:
        user.jobs_counted_from, user.jobs_counted = now, 0
    quota = _first(user.quota_jobs_per_day, settings.QUOTA_JOBS_PER_DAY)
    if user.jobs_counted >= quota:
        raise TooManyJobsToday(quota, user.jobs_counted_from + DAY - now)
    # A counter, not a count of rows: deleting a job does not reduce it, and a retry counts too.
    user.jobs_counted += 1


def stored_bytes(session: Session, user_id: UUID) -> int:
    """Return the bytes of an account's files and results, and of uploads that may still be sent or sent again."""
    kept = select(func.coalesce(func.sum(Job.size + Job.results_size), 0)).where(
        Job.user_id == user_id, Job.deleted_at.is_(None)
    )
    announced = select(func.coalesce(func.sum(Upload.size), 0)).where(
        Upload.user_id == user_id,
        may_arrive(),
        ~exists().where(Job.upload_id == Upload.id, Job.deleted_at.is_(None)),
    )
    return int(session.scalar(kept) or 0) + int(session.scalar(announced) or 0)


def may_arrive() -> ColumnElement[bool]:
    """Match uploads whose file may still reach storage: a signed URL can't be revoked."""
    return Upload.expires_at > utc_now() - ABANDONED_AFTER


def _lock(session: Session, user_id: UUID) -> User:
    # key_share: a plain FOR UPDATE would wait for every new row that refers to this account. Two requests
    # that each added a job would deadlock.
    user = session.get(User, user_id, with_for_update={"key_share": True}, populate_existing=True)
    if user is None:
        raise Unauthorized
    return user


def _count_unfinished(session: Session, user_id: UUID) -> int:
    statement = select(func.count()).select_from(Job).where(Job.user_id == user_id, Job.status.in_(UNFINISHED))
    return session.scalar(statement) or 0


def _first(own: int | None, default: int) -> int:
    return default if own is None else own
