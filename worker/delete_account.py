"""Deletes the data of a closed account: its files, then its rows."""

from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts import deletion
from backend.accounts.exports import awaits_export
from backend.infra.db import transaction
from backend.infra.storage import Storage
from backend.jobs.upkeep import delete_jobs_of, delete_uploads_of

log = structlog.get_logger(__name__)


def delete_account(user_id: UUID, sessions: sessionmaker[Session], storage: Storage) -> None:
    """Delete a closed account. Safe to run twice, and to rerun after a crash.

    The rows stay while uploads may still arrive in storage. The sweep then sends the task again.
    """
    with sessions() as session:
        if not deletion.is_closed(session, user_id):
            return
    delete_jobs_of(user_id, sessions, storage)
    storage.delete_prefix(f"originals/{user_id.hex}/")
    storage.delete_prefix(f"exports/{user_id.hex}/")
    with transaction(sessions) as session:
        deletion.lock_account(session, user_id)
        finished = not awaits_export(session, user_id) and delete_uploads_of(session, user_id)
        if finished:
            deletion.delete_rows(session, user_id)
    log.info("account_deleted" if finished else "account_deletion_postponed", user_id=str(user_id))
