"""Signing in with Google at a provider others wrote: new people, known ones, and those who are turned away."""

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
from tests.backend.accounts.google.flow import CLIENT_ID, CLIENT_SECRET, call_back, person, refused, start
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import MakeSettings
from tests.servers import LiveServer

# The provider's own, about the library it is written with.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider as a process of its own would be, on a socket."""
    import oidc_provider_mock

    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def google(provider: str) -> dict[str, Any]:
    """The settings that make that provider Google."""
    return {
        "GOOGLE_CLIENT_ID": CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "GOOGLE_DISCOVERY_URL": f"{provider}/.well-known/openid-configuration",
    }


@pytest.fixture
def server(make_settings: MakeSettings, google: dict[str, Any]) -> Iterator[LiveServer]:
    with LiveServer(make_settings(**google)) as server:
        yield server


def agree(sent: dict[str, str], who: dict[str, Any], **form: str) -> str:
    """Agree at the provider's page, and return the path and query it sends the browser to."""
    at = urlsplit(sent["url"])
    claims = {name: value for name, value in who.items() if name != "sub"}
    httpx.put(f"{at.scheme}://{at.netloc}/users/{who['sub']}", json=claims).raise_for_status()
    answer = httpx.post(sent["url"], data=form or {"sub": who["sub"]})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    assert (back.scheme, back.netloc) == ("http", "127.0.0.1:8000")
    return f"{back.path}?{back.query}"


def sign_in(client: httpx.Client, who: dict[str, Any], next: str = "/jobs") -> httpx.Response:
    return client.get(agree(start(client, next), who))


def test_a_new_person_gets_an_account_and_goes_where_they_wanted(
    client: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    who = person(email="Ada@Example.COM", name=" Ada\u202e Lovelace ")
    answer = sign_in(client, who, next="/jobs?status=failed")
    assert (answer.status_code, answer.headers["location"]) == (302, "/jobs?status=failed")
    account = client.get("/api/accounts/me").json()
    assert (account["email"], account["name"]) == ("ada@example.com", "Ada Lovelace")
    with sessions() as session:
        user = session.query(User).one()
        assert (user.google_subject, user.password_hash) == (who["sub"], None)
        assert user.email_verified_at is not None
        assert session.query(LoginSession).one().user_agent.startswith("python-httpx")  # type: ignore[union-attr]
    assert client.post("/api/session/refresh").status_code == 204


def test_a_person_who_comes_back_gets_the_same_account_whatever_their_address_is_now(
    server: LiveServer, client: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    who = person()
    sign_in(client, who)
    with server.client() as later:
        assert sign_in(later, who | {"email": "new@example.com", "email_verified": False}).status_code == 302
        assert later.get("/api/accounts/me").json() == client.get("/api/accounts/me").json()
    with sessions() as session:
        assert session.query(User).one().email == who["email"]


def test_who_declines_at_google_is_told_so(client: httpx.Client) -> None:
    sent = start(client, "/account")
    back = agree(sent, person(), action="deny")
    assert "access_denied" in back
    # This provider forgets the state when someone declines; Google does not.
    refused(client.get(f"{back}&state={sent['state']}"), "google_denied", next="/account")


def test_a_declined_sign_in_needs_the_state_too(client: httpx.Client) -> None:
    start(client)
    refused(call_back(client, error="access_denied", state="x"), "google_failed")


def test_another_error_of_google_is_not_repeated(client: httpx.Client) -> None:
    sent = start(client)
    answer = call_back(client, error="<script>", error_description="<b>", state=sent["state"], code="x")
    refused(answer, "google_failed")
    assert "<" not in answer.text + str(answer.headers)


def test_closed_registration_lets_known_people_in_alone(make_settings: MakeSettings, google: dict[str, Any]) -> None:
    known = person()
    with LiveServer(make_settings(**google)) as server, server.client() as client:
        sign_in(client, known)
    with LiveServer(make_settings(**google, ENABLE_REGISTRATION=False)) as server, server.client() as client:
        refused(sign_in(client, person()), "registration_closed", next="/jobs")
        assert sign_in(client, known).headers["location"] == "/jobs"


def test_an_account_without_a_password_has_none_that_works(client: httpx.Client) -> None:
    who = person()
    sign_in(client, who)
    for password in ("x", "None", "no account has this password"):
        wrong = client.post("/api/session", json={"email": who["email"], "password": password})
        refusal(wrong, 401, "wrong_credentials")


def test_two_callbacks_at_once_make_one_account(server: LiveServer, sessions: sessionmaker[Session]) -> None:
    who = person()
    clients = [server.client() for _ in range(4)]
    ways_back = [agree(start(client, "/jobs"), who) for client in clients]
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda client, way: client.get(way), clients, ways_back))
    assert [answer.headers["location"] for answer in answers] == ["/jobs"] * 4
    with sessions() as session:
        assert session.query(User).one().google_subject == who["sub"]
        assert session.query(LoginSession).count() == 4


def test_an_account_made_while_ours_is_being_made_is_found(
    client: httpx.Client, sessions: sessionmaker[Session]
) -> None:
    who = person()
    way_back = agree(start(client, "/jobs"), who)
    with ThreadPoolExecutor(1) as threads, transaction(sessions) as session:
        session.add(User(email=who["email"], name="The first", google_subject=who["sub"]))
        session.flush()
        answer = threads.submit(client.get, way_back)
        time.sleep(0.5)
        assert not answer.done()
        commit(session)
        assert answer.result().headers["location"] == "/jobs"
    assert client.get("/api/accounts/me").json()["name"] == "The first"


def test_without_credentials_there_is_no_google(make_settings: MakeSettings) -> None:
    for half in ({}, {"GOOGLE_CLIENT_ID": "id"}, {"GOOGLE_CLIENT_SECRET": "secret"}):
        with LiveServer(make_settings(**half)) as server, server.client() as client:
            assert client.get("/api/oauth/providers").json() == {"google": False}
            for path in ("start", "callback"):
                refusal(client.get(f"/api/oauth/google/{path}"), 404, "not_found")


def test_with_credentials_the_button_may_show(client: httpx.Client) -> None:
    assert client.get("/api/oauth/providers").json() == {"google": True}
