"""Changes by admins on accounts: disabling, sessions, quotas."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import LoginSession
from backend.settings import Settings
from tests.actions import PASSWORD, send_photo, sign_up_and_in
from tests.backend.admin.conftest import ChangeUser, ReadAudit, age, id_of
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import on_one_database
from tests.servers import LiveServer


def test_a_disabled_user_is_signed_out_immediately(
    server: LiveServer, admin: httpx.Client, client: httpx.Client, other_user: httpx.Client, photo: bytes
) -> None:
    account = sign_up_and_in(client)
    response = admin.post(f"/api/admin/users/{account['id']}/disable")
    assert response.status_code == 200
    assert abs(age(response.json()["disabled_at"])) < timedelta(seconds=30)
    assert response.json()["last_seen_at"] is None
    writing = client.post("/api/uploads", json={"filename": "a.jpg", "content_type": "image/jpeg", "size": 5})
    refusal(writing, 401, "not_authenticated")
    refusal(client.post("/api/session/refresh"), 401, "session_ended")
    again = client.post("/api/session", json={"email": account["email"], "password": PASSWORD})
    assert again.status_code in (401, 403), again.text
    assert "set-cookie" not in again.headers
    assert send_photo(other_user, photo)


def test_an_enabled_user_signs_in_again(admin: httpx.Client, client: httpx.Client) -> None:
    account = sign_up_and_in(client)
    credentials = {"email": account["email"], "password": PASSWORD}
    admin.post(f"/api/admin/users/{account['id']}/disable").raise_for_status()
    response = admin.post(f"/api/admin/users/{account['id']}/enable")
    assert response.status_code == 200
    assert response.json()["disabled_at"] is None
    refusal(client.post("/api/session/refresh"), 401, "session_ended")
    assert client.post("/api/session", json=credentials).status_code == 200


def test_disabling_twice_keeps_the_first_time(admin: httpx.Client, user: httpx.Client, read_audit: ReadAudit) -> None:
    user_id = id_of(user)
    first, second = (admin.post(f"/api/admin/users/{user_id}/disable").json() for _ in range(2))
    assert first["disabled_at"] == second["disabled_at"]
    for _ in range(2):
        assert admin.post(f"/api/admin/users/{user_id}/enable").json()["disabled_at"] is None
    assert [entry.action for entry in read_audit()] == ["user.disable", "user.enable"]


def test_admins_cannot_disable_themselves(admin: httpx.Client, read_audit: ReadAudit) -> None:
    user_id = id_of(admin)
    refusal(admin.post(f"/api/admin/users/{user_id}/disable"), 409, "own_account")
    assert admin.get(f"/api/admin/users/{user_id}").json()["disabled_at"] is None
    assert read_audit() == []


def test_an_admin_can_disable_another(
    server: LiveServer, admin: httpx.Client, user: httpx.Client, change_user: ChangeUser
) -> None:
    change_user(id_of(user), is_admin=True)
    assert user.get("/api/admin/users").status_code == 200
    assert admin.post(f"/api/admin/users/{id_of(user)}/disable").status_code == 200
    refusal(user.get("/api/admin/users"), 401, "not_authenticated")


def test_ending_sessions_signs_out_every_device_but_does_not_disable_the_account(
    server: LiveServer, admin: httpx.Client, client: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    account = sign_up_and_in(client)
    credentials = {"email": account["email"], "password": PASSWORD}
    with server.client() as second_device:
        assert second_device.post("/api/session", json=credentials).status_code == 200
        assert admin.post(f"/api/admin/users/{account['id']}/end-sessions").status_code == 200
        for device in (client, second_device):
            refusal(device.post("/api/session/refresh"), 401, "session_ended")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1, "only the admin's session remains"
    assert client.post("/api/session", json=credentials).status_code == 200


def quotas_of(response: httpx.Response, kind: str) -> Any:
    assert response.status_code == 200, response.text
    return response.json()["quotas"][kind]


def test_quotas_are_set_one_by_one_and_reset(admin: httpx.Client, user: httpx.Client, settings: Settings) -> None:
    path = f"/api/admin/users/{id_of(user)}/quotas"
    assert quotas_of(admin.patch(path, json={"jobs_running": 2}), "effective")["jobs_running"] == 2
    response = admin.patch(path, json={"bytes": 10**12, "jobs_per_day": 0})
    assert quotas_of(response, "overridden") == {"jobs_running": 2, "jobs_per_day": 0, "bytes": 10**12}
    assert quotas_of(response, "effective") == {"jobs_running": 2, "jobs_per_day": 0, "bytes": 10**12}
    response = admin.patch(path, json={"jobs_running": None, "jobs_per_day": None})
    assert quotas_of(response, "overridden") == {"jobs_running": None, "jobs_per_day": None, "bytes": 10**12}
    assert quotas_of(response, "effective")["jobs_running"] == settings.QUOTA_JOBS_RUNNING


@pytest.mark.parametrize("body", [{"bytes": 2**50}, {"jobs_running": 100_000}, {"jobs_per_day": 10_000_000}, {}])
def test_quotas_up_to_their_bounds_are_accepted(body: dict[str, int], admin: httpx.Client, user: httpx.Client) -> None:
    response = admin.patch(f"/api/admin/users/{id_of(user)}/quotas", json=body)
    assert {name: value for name, value in quotas_of(response, "overridden").items() if value} == body


@on_one_database  # refused before any write
@pytest.mark.parametrize(
    "body",
    [
        {"jobs_running": -1},
        {"jobs_running": 100_001},
        {"jobs_per_day": 10_000_001},
        {"bytes": 2**50 + 1},
        {"bytes": 10**30},
        {"bytes": "many"},
        {"bytes": 1.5},
        {"byte": 5},
        {"is_admin": True},
        [],
    ],
)
def test_quotas_beyond_their_bounds_are_refused(
    body: Any, admin: httpx.Client, user: httpx.Client, read_audit: ReadAudit
) -> None:
    response = admin.patch(f"/api/admin/users/{id_of(user)}/quotas", json=body)
    refusal(response, 422, "invalid_input")
    assert read_audit() == []


def test_an_unknown_account_is_not_found(admin: httpx.Client, read_audit: ReadAudit) -> None:
    path = f"/api/admin/users/{uuid4()}"
    refusal(admin.get(path), 404, "user_not_found")
    for action in ("disable", "enable", "end-sessions"):
        refusal(admin.post(f"{path}/{action}"), 404, "user_not_found")
    refusal(admin.patch(f"{path}/quotas", json={"bytes": 1}), 404, "user_not_found")
    assert read_audit() == []
