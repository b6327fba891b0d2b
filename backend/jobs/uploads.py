"""Uploads: sign a request for one exact file, and check that it arrived as signed."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.infra.db import new_id, utc_now
from backend.infra.storage import SignedUpload, Storage, StorageError
from backend.jobs import quotas
from backend.jobs.errors import (
    FileTooLarge,
    StorageUnavailable,
    UnsupportedType,
    UploadIncomplete,
    UploadMismatch,
    UploadNotFound,
)
from backend.jobs.models import Upload
from backend.jobs.recipe import FILE_TYPES
from backend.jobs.schemas import UploadIn
from backend.settings import Settings


def create_upload(
    session: Session, storage: Storage, settings: Settings, user_id: UUID, wanted: UploadIn
) -> tuple[Upload, SignedUpload]:
    """Sign a request for one file of exactly this type and size.

    Raises UnsupportedType, FileTooLarge, TooManyBytes.
    """
    if wanted.content_type not in (file_type.content_type for file_type in FILE_TYPES):
        accepted = ", ".join(file_type.content_type for file_type in FILE_TYPES)
        raise UnsupportedType(f"Send a file of one of these types: {accepted}.")
    if wanted.size > settings.MAX_UPLOAD_BYTES:
        raise FileTooLarge(f"The file has {wanted.size} bytes. Send at most {settings.MAX_UPLOAD_BYTES} bytes.")
    quotas.check_bytes(session, settings, user_id, wanted.size)
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
    """Return an upload whose file is in storage with the announced size.

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
        raise UploadMismatch(f"The file in storage has {size} bytes instead of {upload.size}. Upload it again.")
    return upload
