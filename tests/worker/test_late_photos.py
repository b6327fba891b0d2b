"""Photos uploaded again to the URL of a deleted job: they count towards the quota, and are deleted."""

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction, utc_now
from backend.infra.storage import Storage
from backend.jobs import upkeep
from backend.jobs.models import Job, Upload
from backend.jobs.quotas import ABANDONED_AFTER, stored_bytes
from backend.settings import Settings
from tests.worker.conftest import MakeJob

LONG_AGO = timedelta(hours=2)


def set_expiry(sessions: sessionmaker[Session], age: timedelta) -> None:
    with transaction(sessions) as session:
        session.execute(update(Upload).values(expires_at=utc_now() - age))


def test_a_photo_uploaded_again_after_its_job_was_purged_is_deleted_when_the_url_expired(
    make_job: MakeJob,
    settings: Settings,
    sessions: sessionmaker[Session],
    storage: Storage,
    tmp_path: Path,
    photo: bytes,
) -> None:
    job = make_job(status="cancelled", deleted_at=utc_now() - LONG_AGO)
    assert upkeep.purge_deleted(sessions, settings, storage) == 1
    assert storage.find_size(job.original_key) is None
    file = tmp_path / "again.jpg"
    file.write_bytes(photo)
    storage.upload(file, job.original_key, content_type="image/jpeg")
    for age, there in ((timedelta(0), True), (ABANDONED_AFTER, False)):
        set_expiry(sessions, age)
        upkeep.expire(sessions, storage)
        assert (storage.find_size(job.original_key) is not None) is there
        with sessions() as session:
            assert bool(session.scalars(select(Upload.id)).all()) is there


def test_a_deleted_photo_counts_towards_the_quota_until_its_upload_url_expires(
    make_job: MakeJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage, photo: bytes
) -> None:
    job = make_job()

    def used() -> int:
        with sessions() as session:
            return stored_bytes(session, job.user_id)

    def hide(job_id: UUID) -> None:
        with transaction(sessions) as session:
            session.execute(update(Job).where(Job.id == job_id).values(deleted_at=utc_now() - LONG_AGO))

    assert used() == len(photo)
    hide(job.id)
    assert used() == len(photo), "the same before housekeeping comes"
    upkeep.purge_deleted(sessions, settings, storage)
    assert used() == len(photo), "and after"
    set_expiry(sessions, ABANDONED_AFTER)
    assert used() == 0


def test_deleting_an_old_job_frees_its_space_at_once(make_job: MakeJob, sessions: sessionmaker[Session]) -> None:
    job = make_job(deleted_at=utc_now())
    set_expiry(sessions, ABANDONED_AFTER)
    with sessions() as session:
        assert stored_bytes(session, job.user_id) == 0
