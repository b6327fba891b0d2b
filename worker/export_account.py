"""Makes the copy of an account's data that its owner asked for, and deletes it after a week."""

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
    """Put the account's data and its original files into one zip file, and mail that it is ready.

    Safe to run twice: the file has one key, and only the first run to finish sends the mail.
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
        # Too much for one task or for this machine's disk, which it would be again.
        log.warning("export_failed", export_id=str(export_id), error=f"{type(error).__name__}: {error}")
        _take_back(export_id, key, sessions, storage)
    else:
        if not _announce(export_id, user, size, sessions):
            _take_back(export_id, key, sessions, storage)


def delete_expired_exports(sessions: sessionmaker[Session], storage: Storage) -> None:
    """Delete exports past their week: the file first, so that a crash leaves a row that is found again."""
    with sessions() as session:
        expired = exports.take_expired_exports(session)
    for user_id, export_id in expired:
        storage.delete_prefix(exports.export_key(user_id, export_id))
        with transaction(sessions) as session:
            exports.forget_export(session, export_id)


def _store_zip(key: str, document: dict[str, object], jobs: list[Job], storage: Storage) -> int:
    """Store the copy, and return its size."""
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


def _take_back(export_id: UUID, key: str, sessions: sessionmaker[Session], storage: Storage) -> None:
    """Delete a file nobody may download: making it failed, took too long, or its account was closed meanwhile.

    Within the transaction: after a crash the row waits again, and with it the account's deletion, and no twin of
    this task can make the file available just before it goes.
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
    """Return a name no archive program takes for a path."""
    return filename.replace("/", "_").replace("\\", "_").lstrip(".") or "file"
