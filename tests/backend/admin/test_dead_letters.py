"""Dead letters: which jobs they are, and that a replay sends each one once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

import backend.admin.jobs
from backend.infra.db import transaction, utc_now
from backend.infra.queue import Queue
from backend.jobs.models import Job
from backend.settings import Settings
from tests.actions import create_job, send_photo, wait_for_job
from tests.backend.admin.conftest import DEAD, ReadAudit, ids
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import on_one_database
from tests.servers import LiveServer, WorkerProcess
from tests.time_limits import scaled
from tests.worker.conftest import MakeJob


def test_dead_letters_are_jobs_that_lost_their_worker_too_often(admin: httpx.Client, make_job: MakeJob) -> None:
    dead = make_job(**DEAD)
    make_job()
    make_job(status="failed", failure_code="not_an_image")
    make_job(**DEAD, deleted_at=utc_now())
    response = admin.get("/api/admin/dead-letters")
    assert ids(response) == [str(dead.id)]
    assert response.json()["items"][0]["failure"]["code"] == "worker_lost"


@on_one_database  # the tests below cover the queries of a replay on both databases
def test_a_replayed_job_is_processed(
    admin: httpx.Client,
    user: httpx.Client,
    photo: bytes,
    sessions: sessionmaker[Session],
    empty_queue: Queue,
    settings: Settings,
    tmp_path: Path,
) -> None:
    job = create_job(user, send_photo(user, photo))
    with transaction(sessions) as session:
        session.execute(update(Job).where(Job.id == UUID(job["id"])).values(**DEAD))
    empty_queue.redis.flushdb()
    with WorkerProcess(settings, tmp_path):
        response = admin.post("/api/admin/dead-letters/replay", json={"job_ids": [job["id"]]})
        assert response.status_code == 200
        assert response.json() == {"replayed": [job["id"]], "skipped": []}
        done = wait_for_job(user, job["id"])
    assert done["status"] == "completed"
    assert done["attempts"] == 6
    assert done["results"]
    assert ids(admin.get("/api/admin/dead-letters")) == []


def test_only_dead_letters_are_replayed(
    admin: httpx.Client,
    make_job: MakeJob,
    read_job: Callable[[UUID], Job],
    empty_queue: Queue,
    read_audit: ReadAudit,
) -> None:
    dead, other = make_job(**DEAD), make_job(**DEAD)
    cancelled, bad = make_job(status="cancelled"), make_job(status="failed", failure_code="not_an_image")
    unknown = uuid4()
    named = [str(job_id) for job_id in (cancelled.id, dead.id, bad.id, unknown)]
    response = admin.post("/api/admin/dead-letters/replay", json={"job_ids": named})
    assert response.json() == {"replayed": [named[1]], "skipped": [named[0], *named[2:]]}
    statuses = [read_job(job.id).status for job in (dead, other, cancelled, bad)]
    assert statuses == ["queued", "failed", "cancelled", "failed"]
    assert empty_queue.depth() == 1
    assert [entry.detail for entry in read_audit()] == [{"job_ids": [named[1]]}]
    again = admin.post("/api/admin/dead-letters/replay", json={"job_ids": [named[1]]})
    assert again.json() == {"replayed": [], "skipped": [named[1]]}
    assert empty_queue.depth() == 1
    assert len(read_audit()) == 1


def test_all_dead_letters_are_replayed_in_batches(
    admin: httpx.Client,
    make_job: MakeJob,
    empty_queue: Queue,
    read_audit: ReadAudit,
    monkeypatch: pytest.MonkeyPatch,
    sessions: sessionmaker[Session],
) -> None:
    monkeypatch.setattr(backend.admin.jobs, "BATCH", 2)
    dead = [str(make_job(data=None, **DEAD).id) for _ in range(5)]
    make_job(data=None, status="cancelled")
    response = admin.post("/api/admin/dead-letters/replay", json={"job_ids": None})
    assert response.json() == {"replayed": dead, "skipped": []}
    assert empty_queue.depth() == 5
    assert [entry.detail["job_ids"] for entry in read_audit()] == [dead[:2], dead[2:4], dead[4:]]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Job).where(Job.status == "queued")) == 5


def test_concurrent_replays_replay_each_job_once(
    server: LiveServer, admin: httpx.Client, make_job: MakeJob, empty_queue: Queue, read_audit: ReadAudit
) -> None:
    dead = [str(make_job(data=None, **DEAD).id) for _ in range(12)]
    url, cookies = f"{server.url}/api/admin/dead-letters/replay", dict(admin.cookies)
    with ThreadPoolExecutor(4) as threads:
        responses = list(
            threads.map(
                lambda _n: httpx.post(url, json={"job_ids": None}, cookies=cookies, timeout=scaled(30)), range(4)
            )
        )
    assert sorted(job_id for response in responses for job_id in response.json()["replayed"]) == dead
    assert sorted(job_id for entry in read_audit() for job_id in entry.detail["job_ids"]) == dead
    assert empty_queue.depth() == 12


@on_one_database  # refused before any query
@pytest.mark.parametrize("body", [{}, {"job_ids": []}, {"job_ids": ["x"]}, {"job_ids": [str(uuid4())] * 501}, None])
def test_a_replay_of_nothing_or_too_much_is_refused(body: Any, admin: httpx.Client) -> None:
    refusal(admin.post("/api/admin/dead-letters/replay", json=body), 422, "invalid_input")
