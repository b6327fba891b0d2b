"""The duration of a response does not show whether an address has an account."""

import statistics
import time
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import AccountToken
from backend.infra.db import transaction
from tests.actions import PASSWORD, sign_up_and_in
from tests.backend.accounts.mailed import Mailed
from tests.backend.accounts.test_accounts import account
from tests.backend.infra.proxy import Proxy
from tests.conftest import MakeSettings
from tests.servers import LiveServer
from tests.time_limits import scaled

Sessions = sessionmaker[Session]
RESET, CHANGE = "/api/accounts/password-reset", "/api/accounts/me/email"


@pytest.fixture
def hung_server(make_settings: MakeSettings) -> Iterator[LiveServer]:
    """A server whose Valkey accepts connections but never responds."""
    with (
        Proxy(None) as blackhole,
        LiveServer(make_settings(REDIS_URL=f"redis://127.0.0.1:{blackhole.port}/0")) as server,
    ):
        yield server


def seconds(client: httpx.Client, path: str, **body: str) -> float:
    started = time.perf_counter()
    assert client.post(path, json=body).status_code == 202
    return time.perf_counter() - started


def test_a_reset_takes_as_long_for_an_unknown_address(server: LiveServer, user: httpx.Client) -> None:
    known = str(user.get("/api/accounts/me").json()["email"])
    times = []
    for _ in range(25):
        pair = []
        for email in (known, "nobody@example.com"):
            pair.append(seconds(user, RESET, email=email))
            server.settle()
        times.append(pair)
        with transaction(server.app.state.sessions) as session:
            session.execute(delete(AccountToken))
    ratio = statistics.median(one for one, _other in times) / statistics.median(other for _one, other in times)
    assert 0.6 < ratio < 1.6


def test_a_password_reset_does_not_wait_for_valkey(
    hung_server: LiveServer, server: LiveServer, sessions: Sessions
) -> None:
    with server.client() as client:
        known = str(sign_up_and_in(client)["email"])
    with hung_server.client() as client:
        # The first request detects that Valkey is unavailable.
        client.post("/api/session", json={"email": "x", "password": "x"})
        times = [seconds(client, RESET, email=email) for email in (known, "nobody@example.com")]
    assert max(times) < scaled(1)
    assert Mailed(hung_server, sessions).templates(known)[-1] == "reset_password"


@pytest.mark.parametrize("taken", [False, True])
def test_an_address_change_does_not_wait_for_valkey(
    taken: bool, hung_server: LiveServer, server: LiveServer, sessions: Sessions
) -> None:
    with server.client() as client, server.client() as other:
        credentials = {"email": str(sign_up_and_in(client)["email"]), "password": PASSWORD}
        email = str(sign_up_and_in(other)["email"]) if taken else str(account()["email"])
    with hung_server.client() as client:
        assert client.post("/api/session", json=credentials).status_code == 200
        assert seconds(client, CHANGE, email=email, password=PASSWORD) < scaled(1)
    assert Mailed(hung_server, sessions).templates(email) == (["verify_email"] if taken else ["change_email"])


def test_a_failure_after_the_response_is_logged_and_rolled_back(
    server: LiveServer, user: httpx.Client, sessions: Sessions, capsys: pytest.CaptureFixture[str]
) -> None:
    known = str(user.get("/api/accounts/me").json()["email"])
    with transaction(sessions) as session:
        session.execute(text("ALTER TABLE mails RENAME TO mails_renamed"))
    assert user.post(RESET, json={"email": known}).status_code == 202
    server.settle()
    logged = capsys.readouterr().out
    assert '"event":"background_work_failed"' in logged
    assert '"work":"request_password_reset"' in logged
    with sessions() as session:
        assert session.scalars(select(AccountToken.purpose)).all() == ["verify_email"]
    assert user.get("/api/accounts/me").status_code == 200


def test_many_waiting_resets_hold_no_thread_and_no_connection(server: LiveServer, user: httpx.Client) -> None:
    known = str(user.get("/api/accounts/me").json()["email"])
    for number in range(40):
        assert user.post(RESET, json={"email": f"{number}@example.com" if number % 2 else known}).status_code == 202
    assert user.get("/api/accounts/me").status_code == 200
    server.settle()
    assert server.app.state.engine.pool.checkedout() == 0
