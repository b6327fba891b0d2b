"""The audit log: exact, in the change's own transaction, and kept when accounts are deleted."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import delete, event
from sqlalchemy.orm import Session, sessionmaker

import backend.admin.service
from backend.accounts.models import User
from backend.infra.db import transaction
from tests.backend.admin.conftest import ReadAudit, id_of
from tests.backend.jobs.test_create_job import refusal
from tests.servers import LiveServer
from tests.worker.conftest import MakeJob


def test_each_change_is_recorded_exactly(
    admin: httpx.Client, user: httpx.Client, make_job: MakeJob, read_audit: ReadAudit
) -> None:
    me, user_id = admin.get("/api/accounts/me").json(), id_of(user)
    path = f"/api/admin/users/{user_id}"
    job_id = str(make_job(data=None, status="failed", failure_code="worker_lost").id)
    changes: list[tuple[str, str, Any]] = [
        ("PATCH", f"{path}/quotas", {"bytes": 5, "jobs_per_day": None}),
        ("PATCH", f"{path}/quotas", {"bytes": None, "jobs_running": 7}),
        ("PATCH", f"{path}/quotas", {"jobs_running": 7}),
        ("POST", f"{path}/end-sessions", None),
        ("POST", f"{path}/disable", None),
        ("POST", f"{path}/enable", None),
        ("POST", "/api/admin/dead-letters/replay", {"job_ids": [job_id]}),
    ]
    for number, (method, url, body) in enumerate(changes):
        response = admin.request(method, url, json=body, headers={"X-Request-ID": f"change-{number}"})
        assert response.status_code == 200, response.text
    entries = read_audit()
    assert [(entry.request_id, entry.action, entry.target_id, entry.detail) for entry in entries] == [
        ("change-0", "user.set_quotas", UUID(user_id), {"bytes": {"from": None, "to": 5}}),
        (
            "change-1",
            "user.set_quotas",
            UUID(user_id),
            {"bytes": {"from": 5, "to": None}, "jobs_running": {"from": None, "to": 7}},
        ),
        ("change-3", "user.end_sessions", UUID(user_id), {}),
        ("change-4", "user.disable", UUID(user_id), {}),
        ("change-5", "user.enable", UUID(user_id), {}),
        ("change-6", "jobs.replay", None, {"job_ids": [job_id]}),
    ]
    for entry in entries:
        assert str(entry.admin_id) == me["id"]
        assert entry.admin_email == me["email"]
        assert entry.address == "127.0.0.1"
    assert [entry.target_type for entry in entries] == ["user"] * 5 + ["job"]


def test_the_audit_log_has_pages_and_a_filter_by_user(
    admin: httpx.Client, user: httpx.Client, other_user: httpx.Client
) -> None:
    for client in (user, other_user, user):
        admin.post(f"/api/admin/users/{id_of(client)}/end-sessions").raise_for_status()
    listed: list[str] = []
    cursor = ""
    while True:
        page = admin.get(f"/api/admin/audit?limit=2{cursor}").raise_for_status().json()
        listed += [entry["target_id"] for entry in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert listed == [id_of(user), id_of(other_user), id_of(user)]
    about = admin.get("/api/admin/audit", params={"user_id": id_of(user)}).json()["items"]
    assert [entry["target_id"] for entry in about] == [id_of(user)] * 2
    assert about[0]["target_email"] == user.get("/api/accounts/me").json()["email"]
    by = admin.get("/api/admin/audit", params={"user_id": id_of(admin)}).json()["items"]
    assert [entry["admin_id"] for entry in by] == [id_of(admin)] * 3
    refusal(admin.get("/api/admin/audit?user_id=x"), 422, "invalid_input")


def test_reading_is_not_recorded(admin: httpx.Client, read_audit: ReadAudit) -> None:
    for path in ("users", "jobs", "queue", "dead-letters", "audit", f"users/{id_of(admin)}"):
        assert admin.get(f"/api/admin/{path}").status_code == 200
    assert read_audit() == []


CHANGES = ["disable", "end-sessions", "quotas"]


def change(admin: httpx.Client, user_id: str, kind: str) -> httpx.Response:
    path = f"/api/admin/users/{user_id}/{kind}"
    return admin.patch(path, json={"bytes": 5}) if kind == "quotas" else admin.post(path)


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_that_cannot_be_recorded_is_rolled_back(
    kind: str, admin: httpx.Client, user: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: Any, **_detail: Any) -> None:
        raise RuntimeError("the record failed")

    monkeypatch.setattr(backend.admin.service, "record", fail)
    before = admin.get(f"/api/admin/users/{id_of(user)}").json()
    refusal(change(admin, id_of(user), kind), 500, "internal_error")
    assert admin.get(f"/api/admin/users/{id_of(user)}").json() == before
    assert user.post("/api/session/refresh").status_code == 204


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_that_fails_leaves_no_record(
    kind: str, server: LiveServer, admin: httpx.Client, user: httpx.Client, read_audit: ReadAudit
) -> None:
    def fail(_session: Session) -> None:
        raise RuntimeError("the commit failed")

    user_id = id_of(user)
    event.listen(server.app.state.sessions, "before_commit", fail)
    try:
        refusal(change(admin, user_id, kind), 500, "internal_error")
    finally:
        event.remove(server.app.state.sessions, "before_commit", fail)
    assert read_audit() == []
    assert admin.get(f"/api/admin/users/{user_id}").json()["disabled_at"] is None
    assert user.post("/api/session/refresh").status_code == 204


def test_audit_entries_outlive_the_accounts_they_name(
    admin: httpx.Client, other_user: httpx.Client, user: httpx.Client, sessions: sessionmaker[Session], change_user: Any
) -> None:
    first = admin.get("/api/accounts/me").json()
    user_id = id_of(user)
    admin.post(f"/api/admin/users/{user_id}/disable").raise_for_status()
    with transaction(sessions) as session:
        session.execute(delete(User).where(User.id.in_([UUID(first["id"]), UUID(user_id)])))
    change_user(id_of(other_user), is_admin=True)
    [entry] = other_user.get("/api/admin/audit").json()["items"]
    assert entry["admin_id"] is None
    assert entry["admin_email"] == first["email"]
    assert entry["target_id"] == user_id
    assert entry["target_email"] is None
    assert entry["action"] == "user.disable"
