"""Uploads: signing a request for one exact file, and checking that it arrived as signed."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.errors import InvalidInput, NotFound, Unavailable
from backend.infra.db import new_id, utc_now
from backend.infra.storage import SignedUpload, Storage, StorageError
from backend.jobs.models import Upload
from backend.jobs.schemas import CONTENT_TYPES, UploadIn
from backend.settings import Settings


class UnsupportedType(InvalidInput):
    """The pipeline reads no files of this type."""

    code = "unsupported_type"
    title = "Unsupported file type"
    detail = f"Send a photo of one of these types: {', '.join(CONTENT_TYPES)}."


class FileTooLarge(InvalidInput):
    """The file is over MAX_UPLOAD_BYTES."""

    code = "file_too_large"
    title = "File too large"


class UploadNotFound(NotFound):
    """The upload id is unknown, another user's, or past its time."""

    code = "upload_not_found"
    title = "Upload not found"
    detail = "There is no such upload, or its time is over. Ask for a new one."


class UploadIncomplete(InvalidInput):
    """A job was asked for before its file was sent."""

    code = "upload_incomplete"
    title = "Upload incomplete"
    detail = "The file has not arrived in storage. Send it to the upload's URL first."


class UploadMismatch(InvalidInput):
    """The file in storage is not as long as the one that was announced."""

    code = "upload_size_mismatch"
    title = "Upload differs from what was announced"


class StorageUnavailable(Unavailable):
    """Object storage did not answer."""

    code = "storage_unavailable"
    detail = "The file storage does not answer. Try again in a moment."


def create_upload(
    session: Session, storage: Storage, settings: Settings, user_id: UUID, wanted: UploadIn
) -> tuple[Upload, SignedUpload]:
    """Sign a request for one file of exactly this type and size. Raises UnsupportedType, FileTooLarge."""
    if wanted.content_type not in CONTENT_TYPES:
        raise UnsupportedType
    if wanted.size > settings.MAX_UPLOAD_BYTES:
        raise FileTooLarge(f"The file has {wanted.size} bytes; at most {settings.MAX_UPLOAD_BYTES} are accepted.")
    lifetime = timedelta(minutes=settings.UPLOAD_EXPIRE_MINUTES)
    upload_id = new_id()
    upload = Upload(
        id=upload_id,
        user_id=user_id,
        key=f"originals/{user_id.hex}/{upload_id.hex}",
        filename=wanted.filename,
        content_type=wanted.content_type,
        size=wanted.size,
        expires_at=utc_now() + lifetime,
    )
    session.add(upload)
    signed = storage.sign_upload(
        upload.key,
        content_type=upload.content_type,
        size=upload.size,
        expires_in=int(lifetime.total_seconds()),
    )
    return upload, signed


def get_finished_upload(session: Session, storage: Storage, user_id: UUID, upload_id: UUID) -> Upload:
    """Return an upload whose file lies in storage as announced.

    Raises UploadNotFound, UploadIncomplete, UploadMismatch, StorageUnavailable.
    """
    upload = session.scalar(select(Upload).where(Upload.id == upload_id, Upload.user_id == user_id))
    if upload is None or upload.expires_at < utc_now():
        raise UploadNotFound
    try:
        size = storage.find_size(upload.key)
    except StorageError as error:
        raise StorageUnavailable from error
    if size is None:
        raise UploadIncomplete
    if size != upload.size:
        raise UploadMismatch(f"{upload.size} bytes were announced, {size} are in storage.")
    return upload
