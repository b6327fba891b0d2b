"""Access to admin routes: signed out, as a user, as an admin, and as a former admin."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import LoginSession
from backend.accounts.tokens import Identity, create_access_token
from backend.infra.db import transaction, utc_now
from backend.settings import Settings
from tests.backend.admin.conftest import ChangeUser, ReadAudit, id_of
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import on_one_database
from tests.servers import LiveServer

# The caller is read by primary key, which is the same on every database. The other files run on both.
pytestmark = on_one_database

BODIES: dict[str, Any] = {"quotas": {"bytes": 1}, "replay": {"job_ids": [str(uuid4())]}}


def call_every_route(server: LiveServer, client: httpx.Client) -> dict[str, httpx.Response]:
    """Call each admin route of the API document with unknown ids."""
    responses = {}
    for path, methods in server.app.openapi()["paths"].items():
        if not path.startswith("/api/admin/"):
            continue
        url = path.replace("{user_id}", str(uuid4())).replace("{job_id}", str(uuid4()))
        for method in methods:
            responses[f"{method} {path}"] = client.request(method, url, json=BODIES.get(path.rsplit("/")[-1]))
    assert len(responses) == 12
    return responses


def test_a_request_without_sign_in_is_refused(server: LiveServer, client: httpx.Client) -> None:
    for response in call_every_route(server, client).values():
        refusal(response, 401, "not_authenticated")


def test_a_user_who_is_not_an_admin_is_refused(server: LiveServer, user: httpx.Client, read_audit: ReadAudit) -> None:
    for response in call_every_route(server, user).values():
        refusal(response, 403, "admins_only")
    assert read_audit() == []


def test_an_admin_has_access(server: LiveServer, admin: httpx.Client) -> None:
    for route, response in call_every_route(server, admin).items():
        if "_id}" in route:
            assert response.status_code == 404, route
            assert response.json()["code"] in ("user_not_found", "job_not_found"), route
        else:
            assert response.status_code == 200, route
            assert "code" not in response.json(), route


def test_admin_rights_end_before_the_access_token_expires(
    server: LiveServer, admin: httpx.Client, change_user: ChangeUser
) -> None:
    user_id = id_of(admin)
    assert admin.get("/api/admin/users").status_code == 200
    change_user(user_id, is_admin=False)
    for response in call_every_route(server, admin).values():
        refusal(response, 403, "admins_only")
    change_user(user_id, is_admin=True)
    assert admin.get("/api/admin/users").status_code == 200


@pytest.mark.parametrize("column", ["disabled_at", "deleted_at"])
def test_a_disabled_or_deleted_admin_loses_access_immediately(
    column: str, server: LiveServer, admin: httpx.Client, change_user: ChangeUser
) -> None:
    change_user(id_of(admin), **{column: utc_now()})
    for response in call_every_route(server, admin).values():
        refusal(response, 401, "not_authenticated")


def test_an_admin_without_a_session_loses_access_immediately(
    admin: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    with transaction(sessions) as session:
        session.execute(delete(LoginSession))
    refusal(admin.get("/api/admin/users"), 401, "not_authenticated")


def test_a_session_of_another_account_is_refused(
    server: LiveServer, admin: httpx.Client, user: httpx.Client, settings: Settings
) -> None:
    with server.app.state.sessions() as session:
        of_user = session.query(LoginSession).filter(LoginSession.user_id == UUID(id_of(user))).one()
    mixed = create_access_token(Identity(UUID(id_of(admin)), of_user.id), settings)
    response = httpx.get(f"{server.url}/api/admin/users", headers={"Authorization": f"Bearer {mixed}"})
    refusal(response, 401, "not_authenticated")


def test_a_cross_origin_request_is_refused(admin: httpx.Client, user: httpx.Client) -> None:
    response = admin.post(f"/api/admin/users/{id_of(user)}/disable", headers={"Origin": "https://evil.example"})
    refusal(response, 403, "cross_origin")
