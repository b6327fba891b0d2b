"""Exports: copies of all data of an account, created by a task and kept for a week."""

import math
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Update, delete, exists, select, update
from sqlalchemy.orm import Session

from backend.accounts.errors import ExportNotFound, ExportPending
from backend.accounts.models import Export, LoginSession, User
from backend.errors import AppError
from backend.infra.db import new_id, utc_now
from backend.infra.queue import enqueue
from backend.infra.storage import Storage
from backend.tasks import Task

EXPORT_DAYS = 7
DOWNLOAD_SECONDS = 300
LOST_AFTER = timedelta(minutes=10)
FAILED_AFTER = timedelta(hours=1)
MIN_INTERVAL = timedelta(days=1)
QUEUED, READY, FAILED = "queued", "ready", "failed"


class TooManyExports(AppError):
    """The account has an export from the last 24 hours. Each export stores all files again, outside the quota."""

    status = 429
    code = "quota_exports_per_day"

    def __init__(self, wait: timedelta) -> None:
        super().__init__("You can create one copy of your data in 24 hours. Download the last one, or try again later.")
        self.retry_after = math.ceil(wait.total_seconds())


def request_export(session: Session, user_id: UUID) -> Export:
    """Queue an export. Failed exports don't count for the limit. Raises ExportPending, TooManyExports."""
    session.execute(select(User.id).where(User.id == user_id).with_for_update(key_share=True))
    counted = select(Export).where(Export.user_id == user_id, Export.status.in_((QUEUED, READY)))
    newest = session.scalar(counted.order_by(Export.id.desc()).limit(1))
    if newest is not None and newest.status == QUEUED:
        raise ExportPending
    if newest is not None and newest.created_at > utc_now() - MIN_INTERVAL:
        raise TooManyExports(newest.created_at + MIN_INTERVAL - utc_now())
    export = Export(id=new_id(), user_id=user_id, status=QUEUED)
    session.add(export)
    session.flush()
    enqueue(session, Task.EXPORT_ACCOUNT, export.id)
    return export


def list_exports(session: Session, user_id: UUID) -> list[Export]:
    return list(session.scalars(select(Export).where(Export.user_id == user_id).order_by(Export.id.desc()).limit(20)))


def sign_export(session: Session, storage: Storage, user_id: UUID, export_id: UUID) -> str:
    """Return a download URL that is valid for DOWNLOAD_SECONDS. Raises ExportNotFound."""
    owned = (Export.id == export_id, Export.user_id == user_id, Export.status == READY)
    if session.scalar(select(Export.id).where(*owned)) is None:
        raise ExportNotFound
    return storage.sign_download(
        export_key(user_id, export_id),
        filename="account-export.zip",
        content_type="application/zip",
        expires_in=DOWNLOAD_SECONDS,
    )


def finish_export(session: Session, export_id: UUID, size: int | None) -> Export | None:
    """Mark an export as ready, or as failed when `size` is None.

    Returns None when the export was deleted or finished before, or when the account was closed.
    """
    wanted: list[ColumnElement[bool]] = [Export.id == export_id]
    if size is not None:
        wanted.append(exists().where(User.id == Export.user_id, User.deleted_at.is_(None)))
    finished = _finish(*wanted, status=READY if size is not None else FAILED, size=size).returning(Export)
    return session.scalar(finished, execution_options={"synchronize_session": False})


def export_key(user_id: UUID, export_id: UUID) -> str:
    return f"exports/{user_id.hex}/{export_id.hex}"


def account_document(session: Session, user: User) -> dict[str, Any]:
    """Return the account's own data, without passwords and tokens."""
    sessions = session.scalars(select(LoginSession).where(LoginSession.user_id == user.id)).all()
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "email_verified_at": user.email_verified_at,
        "google_subject": user.google_subject,
        "mail_when_finished": user.mail_when_finished,
        "created_at": user.created_at,
        "sessions": [
            {"created_at": item.created_at, "last_seen_at": item.rotated_at, "device": item.user_agent}
            for item in sessions
        ],
    }


def requeue_lost_exports(session: Session) -> None:
    """Queue exports again that have waited too long: their message or their worker was lost.

    An export that waits for more than an hour fails. Otherwise it would block the next one permanently.
    """
    session.execute(_finish(Export.created_at < utc_now() - FAILED_AFTER, status=FAILED))
    waiting = (Export.status == QUEUED, Export.created_at < utc_now() - LOST_AFTER)
    for export_id in session.scalars(select(Export.id).where(*waiting)):
        enqueue(session, Task.EXPORT_ACCOUNT, export_id)


def awaits_export(session: Session, user_id: UUID) -> bool:
    return session.scalar(select(exists().where(Export.user_id == user_id, Export.status == QUEUED))) is True


def take_expired_exports(session: Session) -> list[tuple[UUID, UUID]]:
    """Return (user id, export id) of expired exports."""
    rows = session.execute(select(Export.user_id, Export.id).where(Export.expires_at < utc_now()).limit(200))
    return [(row.user_id, row.id) for row in rows]


def forget_export(session: Session, export_id: UUID) -> None:
    """Delete an export's row. Delete its file first."""
    session.execute(delete(Export).where(Export.id == export_id))


def _finish(*wanted: ColumnElement[bool], **values: Any) -> Update:
    now = utc_now()
    statement = update(Export).where(Export.status == QUEUED, *wanted)
    return statement.values(**values, finished_at=now, expires_at=now + timedelta(days=EXPORT_DAYS))
