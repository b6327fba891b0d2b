"""All users' jobs for admins: one job, pages, filters, and the indexes that the queries use."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from backend.admin.jobs import list_jobs
from backend.infra import rows
from backend.infra.db import utc_now
from tests.actions import create_job, send_photo
from tests.backend.admin.conftest import DEAD, ids
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import make_database
from tests.worker.conftest import MakeJob

NO_JOBS: dict[str, Any] = {"items": [], "next_cursor": None}


def test_admins_see_a_job_with_its_owner(admin: httpx.Client, user: httpx.Client, photo: bytes) -> None:
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
        # psycopg prepares a statement after five executions. Its cached plan must return the same rows.
        for _ in range(7):
            assert ids(admin.get("/api/admin/jobs", params={"status": status})) == [str(expected.id)]
    assert ids(admin.get("/api/admin/jobs", params={"user_id": str(failed.user_id)})) == [str(failed.id)]
    assert ids(admin.get("/api/admin/jobs", params={"user_id": str(failed.user_id), "status": "queued"})) == []
    assert admin.get("/api/admin/jobs", params={"user_id": str(uuid4())}).json() == NO_JOBS
    refusal(admin.get(f"/api/admin/jobs/{deleted.id}"), 404, "job_not_found")
    refusal(admin.get(f"/api/admin/jobs/{uuid4()}"), 404, "job_not_found")


@pytest.mark.parametrize("query", ["status=lost", "user_id=x", "cursor=x", "limit=0", "status=failed' OR '1'='1"])
def test_an_invalid_query_is_refused(query: str, admin: httpx.Client) -> None:
    refusal(admin.get(f"/api/admin/jobs?{query}"), 422, "invalid_input")


@pytest.mark.parametrize("path", ["/api/admin/jobs?limit=2", "/api/admin/dead-letters?limit=2"])
def test_pages_follow_each_other_without_gaps(path: str, admin: httpx.Client, make_job: MakeJob) -> None:
    expected = [str(make_job(**DEAD).id) for _ in range(5)][::-1]
    listed: list[str] = []
    cursor = ""
    while True:
        response = admin.get(path + cursor)
        listed += ids(response)
        if response.json()["next_cursor"] is None:
            break
        cursor = f"&cursor={response.json()['next_cursor']}"
    assert listed == expected


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ({"status": "failed"}, "ix_jobs_stopped"),
        ({"status": "cancelled"}, "ix_jobs_stopped"),
        ({"dead": True}, "ix_jobs_dead_letters"),
    ],
)
def test_queries_for_rare_jobs_use_a_partial_index(
    where: dict[str, Any], index: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = create_engine(make_database(request, "postgresql", tmp_path))
    compile_statement = rows._compile
    compiled: list[tuple[str, dict[str, Any]]] = []

    def record(statement: Any, dialect: Any) -> tuple[str, dict[str, Any]]:
        compiled.append(compile_statement(statement, dialect))
        return compiled[-1]

    monkeypatch.setattr(rows, "_compile", record)
    with Session(engine) as session:
        list_jobs(session, limit=20, cursor=None, **where)
        sql, defaults = compiled[-1]
        given = defaults | {"cursor": rows.NEWEST, "limit": 21}
        # psycopg's prepared statements have one plan for all parameters. It can only use a partial index
        # if the SQL contains the condition as a literal.
        assert f"status = '{where.get('status', 'failed')}'" in sql
        # Otherwise PostgreSQL scans the empty table and ignores its indexes.
        for setting in ("enable_seqscan = off", "enable_sort = off"):
            session.execute(text(f"SET LOCAL {setting}"))
        plan = session.connection().exec_driver_sql(f"EXPLAIN {sql}", given)
        assert index in " ".join(plan.scalars())
    engine.dispose()


def test_the_job_routes_of_users_show_no_admin_fields(admin: httpx.Client, user: httpx.Client, photo: bytes) -> None:
    job = create_job(user, send_photo(user, photo))
    refusal(admin.get(f"/api/jobs/{job['id']}"), 404, "job_not_found")
    assert "user" not in user.get(f"/api/jobs/{job['id']}").json()
