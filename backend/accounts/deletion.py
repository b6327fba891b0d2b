"""Account deletion: the owner closes the account, and a task that survives crashes deletes its data."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.accounts.models import User
from backend.accounts.service import check_password, get_user
from backend.accounts.sessions import end_sessions
from backend.infra.db import utc_now
from backend.infra.queue import enqueue
from backend.tasks import Task

LOST_AFTER = timedelta(minutes=10)


def close_account(session: Session, user_id: UUID, password: str | None) -> None:
    """Close an account immediately and queue the deletion of its data. Raises WrongPassword, Unauthorized."""
    user = get_user(session, user_id)
    check_password(user, password)
    user.deleted_at = utc_now()
    # A new account can use the address immediately.
    user.email = f"deleted-{user.id.hex}@invalid"
    user.google_subject = None
    end_sessions(session, user_id)
    enqueue(session, Task.DELETE_ACCOUNT, user.id)


def is_closed(session: Session, user_id: UUID) -> bool:
    return session.scalar(select(User.id).where(User.id == user_id, User.deleted_at.is_not(None))) is not None


def lock_account(session: Session, user_id: UUID) -> None:
    """Lock the account's row, so that requests from before the account was closed can't add rows for it."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update())


def delete_rows(session: Session, user_id: UUID) -> None:
    session.execute(delete(User).where(User.id == user_id))


def requeue_lost_deletions(session: Session) -> None:
    """Queue deletions again that have waited too long: their message or their worker was lost."""
    for user_id in session.scalars(select(User.id).where(User.deleted_at < utc_now() - LOST_AFTER)):
        enqueue(session, Task.DELETE_ACCOUNT, user_id)
