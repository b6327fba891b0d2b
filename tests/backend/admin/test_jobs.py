"""What admins see of everybody's jobs, and the replay of dead letters."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import create_engine, event, func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

import backend.admin.jobs
from backend.admin.jobs import list_jobs
from backend.infra.db import transaction, utc_now
from backend.infra.queue import Queue
from backend.jobs.models import Job
from backend.settings import Settings
from tests.actions import create_job, send_photo, wait_for_job
from tests.backend.admin.conftest import ReadAudit
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import make_database
from tests.servers import LiveServer, WorkerProcess
from tests.worker.conftest import MakeJob

DEAD: dict[str, Any] = {
    "status": "failed",
    "failure_code": "worker_lost",
    "attempts": 5,
    "attempt_limit": 5,
}
NO_JOBS: dict[str, Any] = {"items": [], "next_cursor": None}


@pytest.fixture
def queue(settings: Settings) -> Queue:
    """The real queue, without messages of other tests."""
    queue = Queue(settings)
    queue.redis.flushdb()
    return queue


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["items"]]


def test_a_job_is_shown_as_its_owner_sees_it_and_whose_it_is(
    admin: httpx.Client, user: httpx.Client, photo: bytes
) -> None:
    account = user.get("/api/accounts/me").json()
    job = create_job(user, send_photo(user, photo))
    shown = admin.get(f"/api/admin/jobs/{job['id']}").raise_for_status().json()
    assert shown["user"] == {"id": account["id"], "email": account["email"]}
    assert shown["request_id"]
    assert {name: shown[name] for name in job} == job
    assert admin.get("/api/admin/jobs").json() == {"items": [shown], "next_cursor": None}


def test_jobs_are_found_by_status_and_by_user(admin: httpx.Client, make_job: MakeJob) -> None:
    queued, failed = make_job(), make_job(status="failed", failure_code="not_an_image")
    completed, deleted = make_job(status="completed"), make_job(status="failed", deleted_at=utc_now())
    everything = [str(job.id) for job in (completed, failed, queued)]
    assert ids(admin.get("/api/admin/jobs")) == everything
    for status, expected in (("queued", queued), ("failed", failed), ("completed", completed)):
        # More often than psycopg takes to prepare a statement: the plan it then keeps must still be right.
        for _ in range(7):
            assert ids(admin.get("/api/admin/jobs", params={"status": status})) == [str(expected.id)]
    assert ids(admin.get("/api/admin/jobs", params={"user_id": str(failed.user_id)})) == [str(failed.id)]
    assert ids(admin.get("/api/admin/jobs", params={"user_id": str(failed.user_id), "status": "queued"})) == []
    assert admin.get("/api/admin/jobs", params={"user_id": str(uuid4())}).json() == NO_JOBS
    refusal(admin.get(f"/api/admin/jobs/{deleted.id}"), 404, "job_not_found")
    refusal(admin.get(f"/api/admin/jobs/{uuid4()}"), 404, "job_not_found")


@pytest.mark.parametrize("query", ["status=lost", "user_id=x", "cursor=x", "limit=0", "status=failed' OR '1'='1"])
def test_a_query_that_makes_no_sense_is_refused(query: str, admin: httpx.Client) -> None:
    refusal(admin.get(f"/api/admin/jobs?{query}"), 422, "invalid_input")


@pytest.mark.parametrize("path", ["/api/admin/jobs?limit=2", "/api/admin/dead-letters?limit=2"])
def test_pages_follow_each_other_without_gaps(path: str, admin: httpx.Client, make_job: MakeJob) -> None:
    expected = [str(make_job(**DEAD).id) for _ in range(5)][::-1]
    listed: list[str] = []
    cursor = ""
    while True:
        answer = admin.get(path + cursor)
        listed += ids(answer)
        if answer.json()["next_cursor"] is None:
            break
        cursor = f"&cursor={answer.json()['next_cursor']}"
    assert listed == expected


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ({"status": "failed"}, "ix_jobs_stopped"),
        ({"status": "cancelled"}, "ix_jobs_stopped"),
        ({"dead": True}, "ix_jobs_dead_letters"),
    ],
)
def test_what_few_jobs_are_is_found_by_an_index(
    where: dict[str, Any], index: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    engine = create_engine(make_database(request, "postgresql", tmp_path))
    statements: list[tuple[str, Any]] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _d, sql, given, *_rest: statements.append((sql, given)))
    with Session(engine) as session:
        list_jobs(session, limit=20, before=None, **where)
        sql, given = statements[-1]
        # A plan made once for all parameters, as psycopg's prepared statements get, can use no partial index
        # unless the statement itself has the words.
        assert f"status = '{where.get('status', 'failed')}'" in sql
        # An empty table is read whole, whatever indexes there are.
        for setting in ("enable_seqscan = off", "enable_sort = off"):
            session.execute(text(f"SET LOCAL {setting}"))
        plan = session.connection().exec_driver_sql(f"EXPLAIN {sql}", given)
        assert index in " ".join(plan.scalars())
    engine.dispose()


def test_dead_letters_are_those_jobs_that_lost_their_worker_too_often(admin: httpx.Client, make_job: MakeJob) -> None:
    dead = make_job(**DEAD)
    make_job()
    make_job(status="failed", failure_code="not_an_image")
    make_job(**DEAD, deleted_at=utc_now())
    answer = admin.get("/api/admin/dead-letters")
    assert ids(answer) == [str(dead.id)]
    assert answer.json()["items"][0]["failure"]["code"] == "worker_lost"


def test_a_replayed_job_is_processed(
    admin: httpx.Client,
    user: httpx.Client,
    photo: bytes,
    sessions: sessionmaker[Session],
    queue: Queue,
    settings: Settings,
    tmp_path: Path,
) -> None:
    job = create_job(user, send_photo(user, photo))
    with transaction(sessions) as session:
        session.execute(update(Job).where(Job.id == UUID(job["id"])).values(**DEAD))
    queue.redis.flushdb()
    with WorkerProcess(settings, tmp_path):
        answer = admin.post("/api/admin/dead-letters/replay", json={"job_ids": [job["id"]]})
        assert (answer.status_code, answer.json()) == (200, {"replayed": [job["id"]], "skipped": []})
        done = wait_for_job(user, job["id"])
    assert (done["status"], done["attempts"], bool(done["results"])) == ("completed", 6, True)
    assert ids(admin.get("/api/admin/dead-letters")) == []


def test_only_dead_letters_are_replayed(
    admin: httpx.Client,
    make_job: MakeJob,
    read_job: Callable[[UUID], Job],
    queue: Queue,
    read_audit: ReadAudit,
) -> None:
    dead, other = make_job(**DEAD), make_job(**DEAD)
    cancelled, bad = make_job(status="cancelled"), make_job(status="failed", failure_code="not_an_image")
    unknown = uuid4()
    named = [str(job_id) for job_id in (cancelled.id, dead.id, bad.id, unknown)]
    answer = admin.post("/api/admin/dead-letters/replay", json={"job_ids": named})
    assert answer.json() == {"replayed": [named[1]], "skipped": [named[0], *named[2:]]}
    statuses = [read_job(job.id).status for job in (dead, other, cancelled, bad)]
    assert statuses == ["queued", "failed", "cancelled", "failed"]
    assert queue.depth() == 1
    assert [entry.detail for entry in read_audit()] == [{"job_ids": [named[1]]}]
    again = admin.post("/api/admin/dead-letters/replay", json={"job_ids": [named[1]]})
    assert again.json() == {"replayed": [], "skipped": [named[1]]}
    assert (queue.depth(), len(read_audit())) == (1, 1)


def test_all_dead_letters_are_replayed_in_batches(
    admin: httpx.Client,
    make_job: MakeJob,
    queue: Queue,
    read_audit: ReadAudit,
    monkeypatch: pytest.MonkeyPatch,
    sessions: sessionmaker[Session],
) -> None:
    monkeypatch.setattr(backend.admin.jobs, "BATCH", 2)
    dead = [str(make_job(data=None, **DEAD).id) for _ in range(5)]
    make_job(data=None, status="cancelled")
    answer = admin.post("/api/admin/dead-letters/replay", json={"job_ids": None})
    assert answer.json() == {"replayed": dead, "skipped": []}
    assert queue.depth() == 5
    assert [entry.detail["job_ids"] for entry in read_audit()] == [dead[:2], dead[2:4], dead[4:]]
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Job).where(Job.status == "queued")) == 5


def test_two_admins_who_replay_all_at_once_replay_each_job_once(
    server: LiveServer, admin: httpx.Client, make_job: MakeJob, queue: Queue, read_audit: ReadAudit
) -> None:
    dead = [str(make_job(data=None, **DEAD).id) for _ in range(12)]
    url, cookies = f"{server.url}/api/admin/dead-letters/replay", dict(admin.cookies)
    with ThreadPoolExecutor(4) as threads:
        answers = list(
            threads.map(lambda _n: httpx.post(url, json={"job_ids": None}, cookies=cookies, timeout=30), range(4))
        )
    assert sorted(job_id for answer in answers for job_id in answer.json()["replayed"]) == dead
    assert sorted(job_id for entry in read_audit() for job_id in entry.detail["job_ids"]) == dead
    assert queue.depth() == 12


@pytest.mark.parametrize("body", [{}, {"job_ids": []}, {"job_ids": ["x"]}, {"job_ids": [str(uuid4())] * 501}, None])
def test_a_replay_of_nothing_or_too_much_is_refused(body: Any, admin: httpx.Client) -> None:
    refusal(admin.post("/api/admin/dead-letters/replay", json=body), 422, "invalid_input")


def test_an_owner_sees_his_jobs_as_before(admin: httpx.Client, user: httpx.Client, photo: bytes) -> None:
    job = create_job(user, send_photo(user, photo))
    refusal(admin.get(f"/api/jobs/{job['id']}"), 404, "job_not_found")
    assert "user" not in user.get(f"/api/jobs/{job['id']}").json()
