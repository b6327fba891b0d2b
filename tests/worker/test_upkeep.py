"""Housekeeping: lost messages and lost workers are found, old data is deleted, and two sweepers are safe."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction, utc_now
from backend.infra.queue import Queue
from backend.infra.storage import Storage
from backend.infra.storage.disk import DiskStorage
from backend.jobs import transitions, upkeep
from backend.jobs.models import Job, Upload
from backend.jobs.service import results_prefix
from backend.settings import Settings
from tests.worker.conftest import MakeJob
from worker.process_job import process_job

ReadJob = Callable[[UUID], Job]
LONG_AGO = timedelta(hours=2)


@pytest.fixture
def depth(settings: Settings) -> Callable[[], int]:
    """Return the broker's depth; the queue is empty at the start of the test."""
    queue = Queue(settings)
    queue.redis.flushdb()
    return queue.depth


def test_a_job_whose_message_was_lost_is_sent_again_once(
    make_job: MakeJob, settings: Settings, sessions: sessionmaker[Session], depth: Callable[[], int]
) -> None:
    make_job(sent_at=utc_now() - LONG_AGO)
    make_job()
    assert upkeep.requeue_lost_jobs(sessions, settings, depth()) == 1
    assert depth() == 1
    assert upkeep.requeue_lost_jobs(sessions, settings, depth()) == 0


def test_nothing_is_sent_again_while_the_broker_holds_a_message_for_each_job(
    make_job: MakeJob, settings: Settings, sessions: sessionmaker[Session]
) -> None:
    for _ in range(3):
        make_job(sent_at=utc_now() - LONG_AGO)
    assert upkeep.requeue_lost_jobs(sessions, settings, depth=3) == 0
    assert upkeep.requeue_lost_jobs(sessions, settings, depth=2) == 3


def test_a_job_that_waits_for_its_next_attempt_is_not_sent_early(
    make_job: MakeJob, settings: Settings, sessions: sessionmaker[Session]
) -> None:
    make_job(sent_at=utc_now() + timedelta(minutes=5))
    assert upkeep.requeue_lost_jobs(sessions, settings, depth=0) == 0


def lost(**columns: object) -> dict[str, object]:
    return {
        "status": "processing",
        "attempts": 1,
        "lease_token": uuid4(),
        "lease_expires_at": utc_now() - timedelta(seconds=1),
        **columns,
    }


def test_a_job_whose_worker_stopped_renewing_its_lease_is_queued_again(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], depth: Callable[[], int]
) -> None:
    job, alive = make_job(**lost()), make_job(**lost(lease_expires_at=utc_now() + timedelta(seconds=30)))
    assert upkeep.requeue_lost_jobs(sessions, settings, depth()) == 1
    assert read_job(job.id).status == "queued"
    assert read_job(job.id).lease_token is None
    assert read_job(alive.id).status == "processing"
    assert depth() == 1


def test_a_job_that_lost_five_workers_is_a_dead_letter_and_can_be_replayed(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job(**lost(attempts=5))
    assert upkeep.requeue_lost_jobs(sessions, settings, depth=0) == 0
    assert read_job(job.id).status == "failed"
    assert read_job(job.id).failure_code == "worker_lost"
    with transaction(sessions) as session:
        assert [letter.id for letter in upkeep.dead_letters(session)] == [job.id]
        assert [replayed.id for replayed in upkeep.replay(session, [job.id, uuid4()])] == [job.id]
    process_job(job.id, settings, sessions, storage)
    assert read_job(job.id).status == "completed"
    assert read_job(job.id).attempts == 6


def test_two_sweepers_at_once_send_each_job_once(
    make_job: MakeJob, settings: Settings, sessions: sessionmaker[Session], depth: Callable[[], int]
) -> None:
    for _ in range(12):
        make_job(**lost())
    with ThreadPoolExecutor(2) as threads:
        sent = list(threads.map(lambda _n: upkeep.requeue_lost_jobs(sessions, settings, 0), range(4)))
    assert sum(sent) == 12
    assert depth() == 12


def test_only_one_of_many_workers_starts_a_job(make_job: MakeJob, sessions: sessionmaker[Session]) -> None:
    job = make_job()

    def start(_n: int) -> bool:
        with transaction(sessions) as session:
            return transitions.start(session, job.id, timedelta(seconds=30)) is not None

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(start, range(8))) == 1


def test_expired_jobs_are_deleted_with_all_their_files(
    make_job: MakeJob, settings: Settings, sessions: sessionmaker[Session], storage: DiskStorage
) -> None:
    old, kept = make_job(), make_job()
    for job in (old, kept):
        process_job(job.id, settings, sessions, storage)
    with transaction(sessions) as session:
        session.get_one(Job, old.id).expires_at = utc_now() - LONG_AGO
        session.get_one(Upload, old.upload_id).expires_at = utc_now() - LONG_AGO
    assert upkeep.expire(sessions, storage) == 1
    assert upkeep.purge_deleted(sessions, settings, storage) == 0, "its worker may still be writing"
    with transaction(sessions) as session:
        session.get_one(Job, old.id).deleted_at = utc_now() - LONG_AGO
    assert upkeep.purge_deleted(sessions, settings, storage) == 1
    with sessions() as session:
        assert session.scalars(select(Job.id)).all() == [kept.id]
        assert session.scalars(select(Upload.id)).all() == [kept.upload_id]
    assert storage.find_size(old.original_key) is None
    assert not storage.path(results_prefix(old.id).rstrip("/")).exists()
    assert storage.find_size(kept.original_key) == kept.size


def test_an_upload_without_a_job_is_deleted(
    make_job: MakeJob, sessions: sessionmaker[Session], storage: Storage
) -> None:
    abandoned, used = make_job(), make_job()
    with transaction(sessions) as session:
        session.delete(session.get_one(Job, abandoned.id))
        for upload in session.scalars(select(Upload)):
            upload.expires_at = utc_now() - LONG_AGO
    upkeep.expire(sessions, storage)
    with sessions() as session:
        assert session.scalars(select(Upload.id)).all() == [used.upload_id]
    assert storage.find_size(abandoned.original_key) is None
    assert storage.find_size(used.original_key) is not None


def test_an_upload_in_use_is_never_deleted(
    make_job: MakeJob, sessions: sessionmaker[Session], storage: Storage
) -> None:
    make_job()
    upkeep.expire(sessions, storage)
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Upload)) == 1
