"""Creates the export of an account's data that its owner requested, and deletes it after a week."""

import tempfile
import zipfile
from pathlib import Path
from uuid import UUID

import orjson
import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts import exports
from backend.accounts.models import Export, User
from backend.infra.db import transaction
from backend.infra.storage import ObjectMissing, Storage
from backend.jobs.models import Job
from backend.jobs.schemas import job_document
from backend.mails.service import queue_mail

log = structlog.get_logger(__name__)


def export_account(export_id: UUID, sessions: sessionmaker[Session], storage: Storage) -> None:
    """Store the account's data and original files as one zip file, and mail the owner that it is ready.

    Safe to run twice: both runs write the same key, and only the first run to finish sends the mail.
    """
    with sessions() as session:
        export = session.get(Export, export_id)
        user = session.get(User, export.user_id) if export is not None else None
        if export is None or user is None or export.status != exports.QUEUED or user.deleted_at is not None:
            return
        document = exports.account_document(session, user)
        owned = (Job.user_id == user.id, Job.deleted_at.is_(None))
        jobs = list(session.scalars(select(Job).where(*owned).order_by(Job.id)))
    key = exports.export_key(user.id, export_id)
    try:
        size = _store_zip(key, document, jobs, storage)
    except (SoftTimeLimitExceeded, OSError) as error:
        # Too large for one task or for this machine's disk; a retry would fail too.
        log.warning("export_failed", export_id=str(export_id), error=f"{type(error).__name__}: {error}")
        _discard(export_id, key, sessions, storage)
    else:
        if not _announce(export_id, user, size, sessions):
            _discard(export_id, key, sessions, storage)


def delete_expired_exports(sessions: sessionmaker[Session], storage: Storage) -> None:
    """Delete exports older than a week: the file first, so that the row is found again after a crash."""
    with sessions() as session:
        expired = exports.take_expired_exports(session)
    for user_id, export_id in expired:
        storage.delete_prefix(exports.export_key(user_id, export_id))
        with transaction(sessions) as session:
            exports.forget_export(session, export_id)


def _store_zip(key: str, document: dict[str, object], jobs: list[Job], storage: Storage) -> int:
    """Store the zip file. Returns its size in bytes."""
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        file = _zip(Path(folder), document, jobs, storage)
        storage.upload(file, key, content_type="application/zip")
        return file.stat().st_size


def _announce(export_id: UUID, user: User, size: int, sessions: sessionmaker[Session]) -> bool:
    with transaction(sessions) as session:
        if exports.finish_export(session, export_id, size) is None:
            return False
        queue_mail(
            session,
            event=f"export-ready:{export_id.hex}",
            recipient=user.email,
            template="export_ready",
            context={"name": user.name},
            request_id="",
        )
    return True


def _discard(export_id: UUID, key: str, sessions: sessionmaker[Session], storage: Storage) -> None:
    """Delete the file of an export that failed, timed out, or whose account was closed meanwhile.

    The file is deleted inside the transaction. After a crash the row still waits, and so does the account's deletion;
    a second run of this task can't publish the file just before it is deleted.
    """
    with transaction(sessions) as session:
        exports.finish_export(session, export_id, None)
        if session.scalar(select(Export.status).where(Export.id == export_id)) != exports.READY:
            storage.delete_prefix(key)


def _zip(folder: Path, document: dict[str, object], jobs: list[Job], storage: Storage) -> Path:
    path = folder / "export.zip"
    # Most uploads are compressed already.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("account.json", orjson.dumps(document, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2))
        documents = [job_document(job) for job in jobs]
        archive.writestr("jobs.json", orjson.dumps(documents, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2))
        for job in jobs:
            original = folder / "original"
            try:
                storage.download(job.original_key, original)
            except ObjectMissing:
                log.warning("original_missing", job_id=str(job.id))
                continue
            archive.write(original, f"originals/{job.id}/{_safe(job.filename)}")
            original.unlink()
    return path


def _safe(filename: str) -> str:
    """Return a file name that no archive program reads as a path."""
    return filename.replace("/", "_").replace("\\", "_").lstrip(".") or "file"
