"""Creates jobs directly in the database, for tests of the worker."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import new_id, transaction, utc_now
from backend.infra.storage import Storage
from backend.jobs.models import Job, Upload
from backend.jobs.transitions import MAX_ATTEMPTS

MakeJob = Callable[..., Job]


@pytest.fixture
def make_job(sessions: sessionmaker[Session], storage: Storage, tmp_path: Path, photo: bytes) -> MakeJob:
    """Create a queued job whose photo is in storage; keyword arguments override its columns."""

    def make(data: bytes | None = photo, **columns: Any) -> Job:
        user = User(id=new_id(), email=f"{new_id()}@example.com", name="A user", password_hash="-")
        upload_id = new_id()
        upload = Upload(
            id=upload_id,
            user_id=user.id,
            key=f"originals/{user.id.hex}/{upload_id.hex}",
            filename="photo.jpg",
            content_type="image/jpeg",
            size=len(data or b""),
            expires_at=utc_now() + timedelta(hours=1),
        )
        if data is not None:
            file = tmp_path / upload_id.hex
            file.write_bytes(data)
            storage.upload(file, upload.key, content_type=upload.content_type)
        values: dict[str, Any] = {
            "id": new_id(),
            "user_id": user.id,
            "upload_id": upload.id,
            "request_id": "test-request",
            "recipe": {"preset": "web", "enhance": False, "watermark": None},
            "original_key": upload.key,
            "filename": upload.filename,
            "content_type": upload.content_type,
            "size": upload.size,
            "attempt_limit": MAX_ATTEMPTS,
        }
        job = Job(**(values | columns))
        with transaction(sessions) as session:
            session.add(user)
            session.flush()
            session.add(upload)
            session.flush()
            session.add(job)
        return job

    return make


@pytest.fixture
def read_job(sessions: sessionmaker[Session]) -> Callable[[UUID], Job]:
    """Read a job's current row."""

    def read(job_id: UUID) -> Job:
        with sessions() as session:
            job = session.get(Job, job_id)
            assert job is not None
            return job

    return read
