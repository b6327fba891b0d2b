"""Access rules of all routes: signed out, as the owner, as another user, and as an admin."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update

from backend.accounts.models import User
from backend.infra.db import transaction
from tests.actions import create_job, send_photo, sign_up_and_in
from tests.conftest import make_database, settings_for
from tests.servers import LiveServer

PUBLIC = {
    ("GET", "/api/oauth/google/callback"),
    ("GET", "/api/oauth/google/start"),
    ("GET", "/api/oauth/providers"),
    ("GET", "/api/version"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("GET", "/health/serving"),
    ("DELETE", "/api/session"),
    ("POST", "/api/accounts"),
    ("POST", "/api/accounts/password-reset"),
    ("POST", "/api/accounts/password-reset/confirm"),
    ("POST", "/api/accounts/verify"),
    ("GET", "/api/config"),
    ("POST", "/api/session"),
    ("POST", "/api/session/token"),
}
# Public too, but they return 401 without a valid token.
SECRET = {("POST", "/api/session/refresh"), ("POST", "/api/session/token/refresh")}
SIGNED_IN = {
    ("GET", "/api/accounts/me"),
    ("GET", "/api/accounts/me/exports"),
    ("GET", "/api/jobs"),
    ("GET", "/api/jobs/events"),
    ("GET", "/api/sessions"),
    ("DELETE", "/api/accounts/me"),
    ("PATCH", "/api/accounts/me"),
    ("POST", "/api/accounts/me/email"),
    ("POST", "/api/accounts/me/exports"),
    ("POST", "/api/accounts/me/password"),
    ("POST", "/api/accounts/verify/resend"),
    ("POST", "/api/jobs"),
    ("POST", "/api/uploads"),
}
OWNER = {
    ("GET", "/api/accounts/me/exports/{export_id}/file"),
    ("GET", "/api/jobs/{job_id}"),
    ("GET", "/api/jobs/{job_id}/results/{name}"),
    ("POST", "/api/jobs/{job_id}/cancel"),
    ("POST", "/api/jobs/{job_id}/retry"),
    ("DELETE", "/api/jobs/{job_id}"),
    ("DELETE", "/api/sessions/{session_id}"),
}
ADMIN = {
    ("GET", "/api/admin/audit"),
    ("GET", "/api/admin/dead-letters"),
    ("GET", "/api/admin/jobs"),
    ("GET", "/api/admin/jobs/{job_id}"),
    ("GET", "/api/admin/queue"),
    ("GET", "/api/admin/users"),
    ("GET", "/api/admin/users/{user_id}"),
    ("PATCH", "/api/admin/users/{user_id}/quotas"),
    ("POST", "/api/admin/dead-letters/replay"),
    ("POST", "/api/admin/users/{user_id}/disable"),
    ("POST", "/api/admin/users/{user_id}/enable"),
    ("POST", "/api/admin/users/{user_id}/end-sessions"),
}
Route = tuple[str, str]


def status(client: httpx.Client, route: Route, ids: dict[str, str]) -> int:
    """Return the status without reading the body. Requests are empty, because access is checked first."""
    method, path = route
    with client.stream(method, path.format(**ids)) as response:
        return response.status_code


@pytest.fixture(scope="module")
def server(
    request: pytest.FixtureRequest, valkey_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """Run one server on one database, because access rules do not depend on the kind of database."""
    folder = tmp_path_factory.mktemp("access")
    # Each test creates its own users and data.
    with LiveServer(settings_for(make_database(request, "postgresql", folder), valkey_url, folder)) as server:
        yield server


@pytest.fixture
def admin(server: LiveServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        account = sign_up_and_in(client)
        with transaction(server.app.state.sessions) as session:
            session.execute(update(User).where(User.email == account["email"]).values(is_admin=True))
        yield client


@pytest.fixture
def ids(user: httpx.Client, photo: bytes) -> dict[str, str]:
    """Return ids of resources that belong to `user`."""
    return {
        "user_id": user.get("/api/accounts/me").json()["id"],
        "session_id": user.get("/api/sessions").json()["items"][0]["id"],
        "job_id": create_job(user, send_photo(user, photo))["id"],
        "export_id": user.post("/api/accounts/me/exports").json()["id"],
        "name": "web-800.webp",
    }


def test_every_route_is_in_the_table(server: LiveServer) -> None:
    document = server.app.openapi()
    routes = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert routes == PUBLIC | SECRET | SIGNED_IN | OWNER | ADMIN


@pytest.mark.parametrize("route", sorted(PUBLIC))
def test_a_public_route_needs_no_sign_in(client: httpx.Client, route: Route) -> None:
    assert status(client, route, {}) not in (401, 403)


@pytest.mark.parametrize("route", sorted(SECRET | SIGNED_IN | OWNER | ADMIN))
def test_a_signed_out_caller_is_refused(client: httpx.Client, route: Route) -> None:
    ids = dict.fromkeys(("user_id", "session_id", "job_id", "export_id"), str(uuid4()))
    assert status(client, route, ids | {"name": "x"}) in ((401, 422) if route in SECRET else (401,))


@pytest.mark.parametrize("route", sorted(SIGNED_IN))
def test_a_signed_in_user_has_access(user: httpx.Client, route: Route) -> None:
    assert status(user, route, {}) not in (401, 403, 404)


@pytest.mark.parametrize("route", sorted(OWNER))
def test_resources_of_another_user_are_not_found(
    user: httpx.Client, other_user: httpx.Client, admin: httpx.Client, ids: dict[str, str], route: Route
) -> None:
    assert status(other_user, route, ids) == 404
    assert status(admin, route, ids) == 404
    assert status(user, route, ids) not in (401, 403)


@pytest.mark.parametrize("route", sorted(ADMIN))
def test_an_admin_route_is_for_admins_only(
    user: httpx.Client, admin: httpx.Client, ids: dict[str, str], route: Route
) -> None:
    assert status(user, route, ids) == 403
    assert status(admin, route, ids) not in (401, 403, 404)
