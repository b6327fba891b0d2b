"""Sessions: a reused refresh token ends its session; log-outs and lists."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import LoginSession
from backend.commands.migrate import migrate
from backend.infra.db import new_id, transaction, utc_now
from backend.settings import Settings
from tests.backend.jobs.test_create_job import refusal
from tests.servers import LiveServer

Sessions = sessionmaker[Session]


def refresh(server: LiveServer, token: str) -> httpx.Response:
    return httpx.post(f"{server.url}/api/session/refresh", cookies={"refresh": token})


def count_sessions(sessions: Sessions) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(LoginSession)) or 0


def expire_grace_period(sessions: Sessions) -> None:
    with transaction(sessions) as session:
        session.execute(update(LoginSession).values(rotated_at=utc_now() - timedelta(minutes=1)))


@pytest.mark.parametrize("times", [1, 2, 5])
def test_an_old_refresh_token_ends_the_session_after_any_number_of_rotations(
    times: int, server: LiveServer, user: httpx.Client, sessions: Sessions, capsys: pytest.CaptureFixture[str]
) -> None:
    first = user.cookies["refresh"]
    for _ in range(times):
        assert user.post("/api/session/refresh").status_code == 204
    expire_grace_period(sessions)
    refusal(refresh(server, first), 401, "session_ended")
    assert "refresh_token_reused" in capsys.readouterr().out
    refusal(user.post("/api/session/refresh"), 401, "session_ended")


def test_the_grace_period_applies_to_the_previous_token_only(
    server: LiveServer, user: httpx.Client, sessions: Sessions
) -> None:
    tokens = [user.cookies["refresh"]]
    for _ in range(2):
        user.post("/api/session/refresh")
        tokens.append(user.cookies["refresh"])
    assert refresh(server, tokens[1]).status_code == 204
    refusal(refresh(server, tokens[0]), 401, "session_ended")
    assert count_sessions(sessions) == 0


def test_a_forged_token_of_a_known_family_ends_the_session(
    server: LiveServer, user: httpx.Client, sessions: Sessions
) -> None:
    family, _dot, _secret = user.cookies["refresh"].partition(".")
    refusal(refresh(server, f"{family}.invented"), 401, "session_ended")
    assert count_sessions(sessions) == 0


def test_an_access_token_does_not_contain_the_family(user: httpx.Client, sessions: Sessions) -> None:
    token = user.cookies["refresh"]
    with sessions() as session:
        login = session.query(LoginSession).one()
    assert login.family_hash not in (None, login.refresh_token_hash)
    assert str(login.id) not in token
    assert login.id.hex not in token


def test_a_session_of_the_previous_release_continues_and_detects_reuse(
    settings: Settings, server: LiveServer, user: httpx.Client, sessions: Sessions
) -> None:
    from backend.accounts.tokens import hash_secret

    before = "a-token-of-the-release-before-without-any-dot"
    with transaction(sessions) as session:
        session.execute(update(LoginSession).values(family_hash=None, refresh_token_hash=hash_secret(before)))
    response = refresh(server, before)
    assert response.status_code == 204
    second = response.cookies["refresh"]
    third = refresh(server, second).cookies["refresh"]
    refusal(refresh(server, before), 401, "session_ended")
    refusal(refresh(server, third), 401, "session_ended")


def test_rows_of_the_previous_release_survive_the_migration(settings: Settings, sessions: Sessions) -> None:
    migrate(settings, wait_seconds=1, revision="0003")
    ids = {"user": uuid4().hex, "id": uuid4().hex, "now": "2026-01-01 00:00:00+00"}
    with transaction(sessions) as session:
        session.execute(
            text("INSERT INTO users (id, email, name, created_at) VALUES (:user, 'a@b.org', 'A', :now)"), ids
        )
        for number in "12":
            session.execute(
                text(
                    "INSERT INTO sessions (id, user_id, refresh_token_hash, created_at, rotated_at, expires_at)"
                    " VALUES (:id, :user, :hash, :now, :now, :now)"
                ),
                ids | {"id": uuid4().hex, "hash": number * 64},
            )
    migrate(settings, wait_seconds=1)
    with sessions() as session:
        assert session.scalars(select(LoginSession.family_hash)).all() == [None, None]


def test_logging_out_while_another_tab_refreshes_ends_the_session(
    server: LiveServer, user: httpx.Client, sessions: Sessions
) -> None:
    before = user.cookies["refresh"]
    assert user.post("/api/session/refresh").status_code == 204
    assert httpx.delete(f"{server.url}/api/session", cookies={"refresh": before}).status_code == 204
    assert count_sessions(sessions) == 0
    refusal(user.post("/api/session/refresh"), 401, "session_ended")


def test_logging_out_with_an_unknown_token_ends_no_session(
    server: LiveServer, user: httpx.Client, sessions: Sessions
) -> None:
    for token in ("", "x", "x.y", "."):
        assert httpx.delete(f"{server.url}/api/session", cookies={"refresh": token}).status_code == 204
    assert count_sessions(sessions) == 1


def test_only_the_last_seen_100_devices_are_listed(user: httpx.Client, sessions: Sessions) -> None:
    user_id = UUID(user.get("/api/accounts/me").json()["id"])
    now = utc_now()
    with transaction(sessions) as session:
        for age in range(1, 121):
            session.add(
                LoginSession(
                    id=new_id(),
                    user_id=user_id,
                    refresh_token_hash=uuid4().hex,
                    user_agent=f"device {age}",
                    rotated_at=now - timedelta(hours=age),
                    expires_at=now + timedelta(days=1),
                )
            )
    items = user.get("/api/sessions").json()["items"]
    assert len(items) == 100
    assert items[0]["current"] is True
    assert [item["device"] for item in items[1:]] == [f"device {age}" for age in range(1, 100)]
