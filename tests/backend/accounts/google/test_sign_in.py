"""Google sign-in with a third-party provider: new users, known users, and refused ones."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import LoginSession, User
from backend.infra.db import commit, transaction
from tests.backend.accounts.google.flow import CLIENT_ID, CLIENT_SECRET, call_back, new_google_user, refused, start
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import MakeSettings
from tests.servers import LiveServer

# From the provider, about a library it uses.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider on a socket of its own."""
    import oidc_provider_mock

    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def google(provider: str) -> dict[str, Any]:
    """The settings that make the application use this provider as Google."""
    return {
        "GOOGLE_CLIENT_ID": CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "GOOGLE_DISCOVERY_URL": f"{provider}/.well-known/openid-configuration",
    }


@pytest.fixture
def server(make_settings: MakeSettings, google: dict[str, Any]) -> Iterator[LiveServer]:
    with LiveServer(make_settings(**google)) as server:
        yield server


def agree(sent: dict[str, str], google_user: dict[str, Any], **form: str) -> str:
    """Consent on the provider's page. Returns the path and query of the callback."""
    at = urlsplit(sent["url"])
    claims = {name: value for name, value in google_user.items() if name != "sub"}
    httpx.put(f"{at.scheme}://{at.netloc}/users/{google_user['sub']}", json=claims).raise_for_status()
    response = httpx.post(sent["url"], data=form or {"sub": google_user["sub"]})
    assert response.status_code == 302, response.text
    back = urlsplit(response.headers["location"])
    assert back.scheme == "http"
    assert back.netloc == "127.0.0.1:8000"
    return f"{back.path}?{back.query}"


def sign_in(client: httpx.Client, google_user: dict[str, Any], next: str = "/jobs") -> httpx.Response:
    return client.get(agree(start(client, next), google_user))


def test_a_new_google_user_gets_an_account_and_the_requested_page(
    client: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    google_user = new_google_user(email="Ada@Example.COM", name=" Ada\u202e Lovelace ")
    response = sign_in(client, google_user, next="/jobs?status=failed")
    assert response.status_code == 302
    assert response.headers["location"] == "/jobs?status=failed"
    account = client.get("/api/accounts/me").json()
    assert account["email"] == "ada@example.com"
    assert account["name"] == "Ada Lovelace"
    with sessions() as session:
        user = session.query(User).one()
        assert user.google_subject == google_user["sub"]
        assert user.password_hash is None
        assert user.email_verified_at is not None
        assert session.query(LoginSession).one().user_agent.startswith("python-httpx")  # type: ignore[union-attr]
    assert client.post("/api/session/refresh").status_code == 204


def test_a_google_user_with_a_new_address_gets_the_same_account(
    server: LiveServer, client: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    google_user = new_google_user()
    sign_in(client, google_user)
    with server.client() as later:
        assert sign_in(later, google_user | {"email": "new@example.com", "email_verified": False}).status_code == 302
        assert later.get("/api/accounts/me").json() == client.get("/api/accounts/me").json()
    with sessions() as session:
        assert session.query(User).one().email == google_user["email"]


def test_a_sign_in_cancelled_at_google_is_reported(client: httpx.Client) -> None:
    sent = start(client, "/account")
    back = agree(sent, new_google_user(), action="deny")
    assert "access_denied" in back
    # This provider omits the state when the user cancels; Google does not.
    refused(client.get(f"{back}&state={sent['state']}"), "google_denied", next="/account")


def test_a_cancelled_sign_in_needs_the_state_too(client: httpx.Client) -> None:
    start(client)
    refused(call_back(client, error="access_denied", state="x"), "google_failed")


def test_other_errors_of_google_are_not_shown(client: httpx.Client) -> None:
    sent = start(client)
    response = call_back(client, error="<script>", error_description="<b>", state=sent["state"], code="x")
    refused(response, "google_failed")
    assert "<" not in response.text + str(response.headers)


def test_closed_registration_accepts_existing_google_users_only(
    make_settings: MakeSettings, google: dict[str, Any]
) -> None:
    known = new_google_user()
    with LiveServer(make_settings(**google)) as server, server.client() as client:
        sign_in(client, known)
    with LiveServer(make_settings(**google, ENABLE_REGISTRATION=False)) as server, server.client() as client:
        refused(sign_in(client, new_google_user()), "registration_closed", next="/jobs")
        assert sign_in(client, known).headers["location"] == "/jobs"


def test_an_account_without_a_password_accepts_no_password(client: httpx.Client) -> None:
    google_user = new_google_user()
    sign_in(client, google_user)
    for password in ("x", "None", "no account has this password"):
        wrong = client.post("/api/session", json={"email": google_user["email"], "password": password})
        refusal(wrong, 401, "wrong_credentials")


def test_concurrent_callbacks_create_one_account(server: LiveServer, sessions: sessionmaker[Session]) -> None:
    google_user = new_google_user()
    clients = [server.client() for _ in range(4)]
    callback_urls = [agree(start(client, "/jobs"), google_user) for client in clients]
    with ThreadPoolExecutor(4) as threads:
        responses = list(threads.map(lambda client, url: client.get(url), clients, callback_urls))
    assert [response.headers["location"] for response in responses] == ["/jobs"] * 4
    with sessions() as session:
        assert session.query(User).one().google_subject == google_user["sub"]
        assert session.query(LoginSession).count() == 4


def test_an_account_created_by_a_concurrent_request_is_used(
    client: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    google_user = new_google_user()
    callback_url = agree(start(client, "/jobs"), google_user)
    with ThreadPoolExecutor(1) as threads, transaction(sessions) as session:
        session.add(User(email=google_user["email"], name="The first", google_subject=google_user["sub"]))
        session.flush()
        response = threads.submit(client.get, callback_url)
        time.sleep(0.5)
        assert not response.done()
        commit(session)
        assert response.result().headers["location"] == "/jobs"
    assert client.get("/api/accounts/me").json()["name"] == "The first"


def test_google_is_disabled_without_credentials(make_settings: MakeSettings) -> None:
    for half in ({}, {"GOOGLE_CLIENT_ID": "id"}, {"GOOGLE_CLIENT_SECRET": "secret"}):
        with LiveServer(make_settings(**half)) as server, server.client() as client:
            assert client.get("/api/oauth/providers").json() == {"google": False}
            for path in ("start", "callback"):
                refusal(client.get(f"/api/oauth/google/{path}"), 404, "not_found")


def test_google_is_listed_with_credentials(client: httpx.Client) -> None:
    assert client.get("/api/oauth/providers").json() == {"google": True}
