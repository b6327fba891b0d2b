"""Makes the copy of an account's data, and deletes what a closed account held."""

import tempfile
import zipfile
from pathlib import Path
from uuid import UUID

import orjson
import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts import account_data
from backend.accounts.models import Export, User
from backend.infra.db import transaction
from backend.infra.storage import ObjectMissing, Storage
from backend.jobs.models import Job, Upload
from backend.jobs.quotas import may_arrive
from backend.jobs.schemas import job_document
from backend.jobs.service import results_prefix
from backend.mails.service import queue_mail

log = structlog.get_logger(__name__)

BATCH = 200


def export_account(export_id: UUID, sessions: sessionmaker[Session], storage: Storage) -> None:
    """Put the account's data and its original photos into one zip file, and mail that it is ready.

    Safe to run twice: the file has one place, and only the first to finish says so.
    """
    with sessions() as session:
        export = session.get(Export, export_id)
        user = session.get(User, export.user_id) if export is not None else None
        if export is None or user is None or export.status != account_data.QUEUED or user.deleted_at is not None:
            return
        document = account_data.account_document(session, user)
        owned = (Job.user_id == user.id, Job.deleted_at.is_(None))
        jobs = list(session.scalars(select(Job).where(*owned).order_by(Job.id)))
    key = account_data.export_key(user.id, export_id)
    try:
        size = _store_zip(key, document, jobs, storage)
    except (SoftTimeLimitExceeded, OSError) as error:
        # Too much for one task or for this machine's disk, which it would be again.
        log.warning("export_failed", export_id=str(export_id), error=f"{type(error).__name__}: {error}")
        _take_back(export_id, key, sessions, storage)
    else:
        if not _announce(export_id, user, size, sessions):
            _take_back(export_id, key, sessions, storage)


def delete_account(user_id: UUID, sessions: sessionmaker[Session], storage: Storage) -> None:
    """Delete a closed account's files, then its rows. Safe to run twice, and to go on after a crash.

    While files may still arrive the rows stay, to be found again: the task comes back, and deletes once more.
    """
    with sessions() as session:
        user = session.get(User, user_id)
        if user is None or user.deleted_at is None:
            return
    while _delete_some_jobs(user_id, sessions, storage):
        pass
    storage.delete_prefix(f"originals/{user_id.hex}/")
    storage.delete_prefix(f"exports/{user_id.hex}/")
    with transaction(sessions) as session:
        # A request that began before the account was closed can add no row of it any more.
        session.execute(select(User.id).where(User.id == user_id).with_for_update())
        waiting = _awaits_files(session, user_id)
        if not waiting:
            session.execute(delete(Upload).where(Upload.user_id == user_id))
            session.execute(delete(User).where(User.id == user_id))
    log.info("account_awaits_files" if waiting else "account_deleted", user_id=str(user_id))


def delete_expired_exports(sessions: sessionmaker[Session], storage: Storage) -> None:
    """Delete exports past their week: the file first, so that a crash leaves a row that is found again."""
    with sessions() as session:
        expired = account_data.take_expired_exports(session)
    for user_id, export_id in expired:
        storage.delete_prefix(account_data.export_key(user_id, export_id))
        with transaction(sessions) as session:
            account_data.forget_export(session, export_id)


def _store_zip(key: str, document: dict[str, object], jobs: list[Job], storage: Storage) -> int:
    """Store the copy, and return its size."""
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        file = _zip(Path(folder), document, jobs, storage)
        storage.upload(file, key, content_type="application/zip")
        return file.stat().st_size


def _announce(export_id: UUID, user: User, size: int, sessions: sessionmaker[Session]) -> bool:
    with transaction(sessions) as session:
        if account_data.finish_export(session, export_id, size) is None:
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
        account_data.finish_export(session, export_id, None)
        if session.scalar(select(Export.status).where(Export.id == export_id)) != account_data.READY:
            storage.delete_prefix(key)


def _zip(folder: Path, document: dict[str, object], jobs: list[Job], storage: Storage) -> Path:
    path = folder / "export.zip"
    # Photos are compressed already.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("account.json", orjson.dumps(document, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2))
        documents = [job_document(job) for job in jobs]
        archive.writestr("jobs.json", orjson.dumps(documents, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2))
        for job in jobs:
            photo = folder / "original"
            try:
                storage.download(job.original_key, photo)
            except ObjectMissing:
                log.warning("original_missing", job_id=str(job.id))
                continue
            archive.write(photo, f"originals/{job.id}/{_safe(job.filename)}")
            photo.unlink()
    return path


def _safe(filename: str) -> str:
    """Return a name no archive program takes for a path."""
    return filename.replace("/", "_").replace("\\", "_").lstrip(".") or "photo"


def _delete_some_jobs(user_id: UUID, sessions: sessionmaker[Session], storage: Storage) -> bool:
    with sessions() as session:
        job_ids = session.scalars(select(Job.id).where(Job.user_id == user_id).limit(BATCH)).all()
    for job_id in job_ids:
        storage.delete_prefix(results_prefix(job_id))
    with transaction(sessions) as session:
        session.execute(delete(Job).where(Job.id.in_(job_ids)))
    return len(job_ids) > 0


def _awaits_files(session: Session, user_id: UUID) -> bool:
    """Whether somebody holds an address to send a photo to, or a worker may be storing an export."""
    upload = exists().where(Upload.user_id == user_id, may_arrive())
    export = exists().where(Export.user_id == user_id, Export.status == account_data.QUEUED)
    return bool(session.scalar(select(or_(upload, export))))
