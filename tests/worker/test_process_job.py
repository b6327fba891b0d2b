"""One attempt at a job: every possible outcome, and no visible results of a lost attempt."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction, utc_now
from backend.infra.storage import Storage, StorageError
from backend.infra.storage.disk import DiskStorage
from backend.jobs import transitions
from backend.jobs.failures import MESSAGES, Failure
from backend.jobs.models import Job
from backend.jobs.schemas import job_document
from backend.jobs.service import result_key
from backend.settings import Settings
from tests.conftest import MakeSettings
from tests.photos import make_photo
from tests.worker.conftest import MakeJob
from worker import pipeline
from worker.process_job import backoff, process_job

ReadJob = Callable[[UUID], Job]


class FailingStorage:
    """Storage with methods that fail, are slow, or run code of the test first."""

    def __init__(self, storage: Storage, **effect: Callable[[], None]) -> None:
        self._storage = storage
        self._effect = effect

    def __getattr__(self, name: str) -> object:
        if name in self._effect:
            self._effect[name]()
        return getattr(self._storage, name)


def raising(error: Exception) -> Callable[[], None]:
    def effect() -> None:
        raise error

    return effect


def test_results_become_visible_all_at_once(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: DiskStorage
) -> None:
    job = make_job(recipe={"preset": "web", "watermark": "©", "enhance": True})
    seen: list[tuple[str, int]] = []

    def look() -> None:
        row = read_job(job.id)
        seen.append((row.status, len(row.results)))

    process_job(job.id, settings, sessions, FailingStorage(storage, upload=look))  # type: ignore[arg-type]
    assert set(seen) == {("processing", 0)}
    done = read_job(job.id)
    assert done.status == "completed"
    assert done.progress == 100
    assert done.attempts == 1
    assert done.facts == {"width": 640, "height": 480}
    assert done.lease_token is None
    assert done.expires_at is not None
    assert done.expires_at - utc_now() > timedelta(days=settings.RETENTION_DAYS - 1)
    for result in done.results:
        assert storage.find_size(result_key(job.id, 1, result["name"])) == result["size"]


def test_a_duplicate_message_is_processed_once(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job()
    process_job(job.id, settings, sessions, storage)
    first = read_job(job.id)
    process_job(job.id, settings, sessions, storage)
    assert read_job(job.id).attempts == 1
    assert read_job(job.id).finished_at == first.finished_at


def test_a_message_without_a_job_is_dropped(
    settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    process_job(uuid4(), settings, sessions, storage)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"this is no photo", "not_an_image"),
        (make_photo(2000, 1500)[:3000], "truncated"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x01\x86\xa0\x00\x01\x86\xa0\x08\x02\x00\x00\x00", None),
    ],
)
def test_a_bad_photo_fails_without_a_retry(
    make_job: MakeJob,
    read_job: ReadJob,
    settings: Settings,
    sessions: sessionmaker[Session],
    storage: Storage,
    data: bytes,
    code: str | None,
) -> None:
    job = make_job(data)
    process_job(job.id, settings, sessions, storage)
    failed = read_job(job.id)
    assert failed.status == "failed"
    assert failed.attempts == 1
    assert failed.results == []
    assert failed.failure_code in ([code] if code else ["not_an_image", "truncated", "too_many_pixels"])


def test_the_user_sees_the_message_of_the_pipeline(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", filename="IMG_0042.jpg")
    process_job(job.id, settings, sessions, storage)
    shown = job_document(read_job(job.id))["failure"]
    assert shown["code"] == "not_an_image"
    assert "HEIC" in shown["message"]
    assert "Most Compatible" in shown["message"]


def test_a_failure_longer_than_its_columns_is_truncated(
    make_job: MakeJob,
    read_job: ReadJob,
    settings: Settings,
    sessions: sessionmaker[Session],
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_arguments: object) -> None:
        raise pipeline.BadInput("c" * 60, "A sentence\0\ud800 " + "x" * 600)

    monkeypatch.setattr(pipeline, "run", refuse)
    job = make_job()
    process_job(job.id, settings, sessions, storage)
    failed = read_job(job.id)
    assert failed.failure_code == "c" * 40
    assert failed.failure_message == "A sentence " + "x" * 489
    with transaction(sessions) as session:
        transitions.retry(session, job.id)
    assert read_job(job.id).failure_message is None


def run_with_facts(facts: dict[str, object]) -> Callable[..., Iterator[pipeline.Step]]:
    """Return a pipeline that yields these facts and one result with the same facts."""

    def run(_original: Path, _recipe: object, target: Path) -> Iterator[pipeline.Step]:
        path = target / "table.json"
        path.write_text("{}")
        yield pipeline.Step(100, facts, pipeline.Result(path.name, path, "A\0\ud800", "application/json", facts))

    return run


def test_facts_that_no_database_stores_are_cleaned(
    make_job: MakeJob,
    read_job: ReadJob,
    settings: Settings,
    sessions: sessionmaker[Session],
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline, "run", run_with_facts({"na\0me": ["\ud800ü", 1.5, None, {"deep": "\0"}]}))
    job = make_job()
    process_job(job.id, settings, sessions, storage)
    done = read_job(job.id)
    assert done.status == "completed"
    assert done.facts == {"name": ["ü", 1.5, None, {"deep": ""}]}
    assert done.results[0]["facts"] == done.facts
    assert done.results[0]["label"] == "A"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"bytes"])
def test_facts_that_are_not_json_fail_the_job_at_once(
    make_job: MakeJob,
    read_job: ReadJob,
    settings: Settings,
    sessions: sessionmaker[Session],
    storage: Storage,
    monkeypatch: pytest.MonkeyPatch,
    value: object,
) -> None:
    monkeypatch.setattr(pipeline, "run", run_with_facts({"mean": value}))
    job = make_job()
    with pytest.raises((ValueError, TypeError), match="JSON has no"):
        process_job(job.id, settings, sessions, storage)
    assert read_job(job.id).failure_code == "internal_error"
    assert read_job(job.id).attempts == 1


def test_a_missing_or_changed_original_fails_with_its_own_code(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    missing, changed = make_job(None), make_job(size=1)
    for job in (missing, changed):
        process_job(job.id, settings, sessions, storage)
    assert read_job(missing.id).failure_code == "original_missing"
    assert read_job(changed.id).failure_code == "original_changed"


@pytest.mark.parametrize("method", ["download", "upload"])
def test_a_job_is_queued_again_after_an_outside_failure_and_succeeds_later(
    make_job: MakeJob,
    read_job: ReadJob,
    settings: Settings,
    sessions: sessionmaker[Session],
    storage: Storage,
    method: str,
) -> None:
    job = make_job()
    unavailable = FailingStorage(storage, **{method: raising(StorageError("unavailable"))})
    process_job(job.id, settings, sessions, unavailable)  # type: ignore[arg-type]
    waiting = read_job(job.id)
    assert waiting.status == "queued"
    assert waiting.attempts == 1
    assert waiting.failure_code is None
    assert waiting.sent_at > utc_now()
    process_job(job.id, settings, sessions, storage)
    assert read_job(job.id).status == "completed"
    assert read_job(job.id).attempts == 2


def test_a_job_fails_after_its_attempts_while_storage_is_unavailable(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job()
    unavailable = FailingStorage(storage, download=raising(StorageError("unavailable")))
    for _ in range(7):
        process_job(job.id, settings, sessions, unavailable)  # type: ignore[arg-type]
    failed = read_job(job.id)
    assert failed.status == "failed"
    assert failed.failure_code == "storage_unavailable"
    assert failed.attempts == 5


def test_a_job_that_takes_too_long_fails_as_timed_out(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job()
    slow = FailingStorage(storage, upload=raising(SoftTimeLimitExceeded()))
    process_job(job.id, settings, sessions, slow)  # type: ignore[arg-type]
    assert read_job(job.id).failure_code == "timed_out"


def test_a_bug_fails_the_job_and_is_raised_for_error_reporting(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job()
    broken = FailingStorage(storage, upload=raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        process_job(job.id, settings, sessions, broken)  # type: ignore[arg-type]
    assert read_job(job.id).status == "failed"
    assert read_job(job.id).failure_code == "internal_error"


def test_a_job_cancelled_while_it_runs_stops_and_leaves_no_files(
    make_job: MakeJob,
    read_job: ReadJob,
    settings: Settings,
    sessions: sessionmaker[Session],
    storage: DiskStorage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("worker.process_job.PROGRESS_SECONDS", 0)
    job = make_job()
    uploads: list[str] = []

    def cancel() -> None:
        uploads.append("one")
        with transaction(sessions) as session:
            transitions.cancel(session, job.id, job.user_id, timedelta(days=1))

    process_job(job.id, settings, sessions, FailingStorage(storage, upload=cancel))  # type: ignore[arg-type]
    assert len(uploads) == 1, "the worker went on after the cancellation"
    assert read_job(job.id).status == "cancelled"
    assert read_job(job.id).results == []
    assert not list((tmp_path / "storage").rglob("results/**/*.*"))


def test_a_worker_that_lost_its_lease_does_not_change_the_next_attempt(
    make_job: MakeJob, read_job: ReadJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job()
    taken_over = threading.Event()

    def take_over() -> None:
        if not taken_over.is_set():
            taken_over.set()
            with transaction(sessions) as session:
                session.execute(update(Job).values(lease_expires_at=utc_now() - timedelta(seconds=1)))
                assert transitions.requeue_lost(session, 10)
            process_job(job.id, settings, sessions, storage)

    process_job(job.id, settings, sessions, FailingStorage(storage, upload=take_over))  # type: ignore[arg-type]
    done = read_job(job.id)
    assert done.status == "completed"
    assert done.attempts == 2
    for result in done.results:
        assert storage.find_size(result_key(job.id, 2, result["name"])) == result["size"]
    assert storage.find_size(result_key(job.id, 1, done.results[0]["name"])) is None


def test_the_lease_is_renewed_while_a_job_runs(
    make_job: MakeJob, read_job: ReadJob, make_settings: MakeSettings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job()
    settings = make_settings(JOB_LEASE_SECONDS=0.6)
    expiries: list[object] = []

    def slow() -> None:
        time.sleep(0.5)
        expiries.append(read_job(job.id).lease_expires_at)
        with transaction(sessions) as session:
            assert transitions.requeue_lost(session, 10) == []

    process_job(job.id, settings, sessions, FailingStorage(storage, upload=slow))  # type: ignore[arg-type]
    assert len(set(expiries)) == len(expiries) > 1
    assert read_job(job.id).status == "completed"


def test_backoff_doubles_up_to_a_limit_with_jitter() -> None:
    for attempt, ceiling in ((1, 5), (2, 10), (3, 20), (12, 300)):
        waits = {backoff(attempt, 5) for _ in range(200)}
        assert ceiling / 2 <= min(waits) < max(waits) <= ceiling
        assert len(waits) > 100


def test_every_failure_code_has_a_message() -> None:
    assert set(MESSAGES) == set(Failure)
