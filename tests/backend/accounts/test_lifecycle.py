"""Verification, password reset and changes of an account; each mailed link works once, for its purpose only."""

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import AccountToken, LoginSession, User
from backend.infra.db import transaction, utc_now
from tests.actions import PASSWORD, sign_up_and_in
from tests.backend.accounts.mailed import Mailed
from tests.backend.accounts.test_accounts import account
from tests.backend.jobs.test_create_job import refusal
from tests.servers import LiveServer

NEW_PASSWORD = "another horse battery"
LinkTo = Callable[[str], str]


@pytest.fixture
def mailed(server: LiveServer, sessions: sessionmaker[Session]) -> Mailed:
    return Mailed(server, sessions)


@pytest.fixture
def link_to(mailed: Mailed) -> LinkTo:
    """Return the secret of the last link mailed with a template."""
    return mailed.secret


@pytest.fixture
def count_mails(mailed: Mailed) -> Callable[[], int]:
    return lambda: len(mailed.templates())


def test_a_new_address_is_verified_by_its_link_once(user: httpx.Client, link_to: LinkTo) -> None:
    assert user.get("/api/accounts/me").json()["email_verified"] is False
    token = link_to("verify_email")
    assert user.post("/api/accounts/verify", json={"token": token}).status_code == 204
    assert user.get("/api/accounts/me").json()["email_verified"] is True
    refusal(user.post("/api/accounts/verify", json={"token": token}), 422, "invalid_token")


def test_a_new_link_replaces_the_previous_one(user: httpx.Client, link_to: LinkTo, mailed: Mailed) -> None:
    first = link_to("verify_email")
    mailed.age_links()
    assert user.post("/api/accounts/verify/resend").status_code == 202
    refusal(user.post("/api/accounts/verify", json={"token": first}), 422, "invalid_token")
    assert user.post("/api/accounts/verify", json={"token": link_to("verify_email")}).status_code == 204


def test_a_password_reset_signs_out_every_device(client: httpx.Client, user: httpx.Client, link_to: LinkTo) -> None:
    email = user.get("/api/accounts/me").json()["email"]
    assert client.post("/api/accounts/password-reset", json={"email": email.upper()}).status_code == 202
    token = link_to("reset_password")
    body = {"token": token, "password": NEW_PASSWORD}
    assert client.post("/api/accounts/password-reset/confirm", json=body).status_code == 204
    refusal(client.post("/api/accounts/password-reset/confirm", json=body), 422, "invalid_token")
    refusal(user.post("/api/session/refresh"), 401, "session_ended")
    refusal(client.post("/api/session", json={"email": email, "password": PASSWORD}), 401, "wrong_credentials")
    assert client.post("/api/session", json={"email": email, "password": NEW_PASSWORD}).status_code == 200


@pytest.mark.parametrize("page", ["/api/accounts/verify", "/api/accounts/password-reset/confirm"])
@pytest.mark.parametrize("token", ["", "x", "x" * 100, "' OR 1=1 --"])
def test_a_forged_link_is_refused(client: httpx.Client, page: str, token: str) -> None:
    refusal(client.post(page, json={"token": token, "password": NEW_PASSWORD}), 422, "invalid_token")


def test_a_link_works_for_its_purpose_only(client: httpx.Client, user: httpx.Client, link_to: LinkTo) -> None:
    verify = link_to("verify_email")
    body = {"token": verify, "password": NEW_PASSWORD}
    refusal(client.post("/api/accounts/password-reset/confirm", json=body), 422, "invalid_token")
    email = user.get("/api/accounts/me").json()["email"]
    client.post("/api/accounts/password-reset", json={"email": email})
    reset = link_to("reset_password")
    refusal(client.post("/api/accounts/verify", json={"token": reset}), 422, "invalid_token")


def test_an_expired_link_is_refused(user: httpx.Client, link_to: LinkTo, sessions: sessionmaker[Session]) -> None:
    with transaction(sessions) as session:
        session.execute(update(AccountToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    refusal(user.post("/api/accounts/verify", json={"token": link_to("verify_email")}), 422, "invalid_token")


def test_links_are_stored_as_hashes(user: httpx.Client, link_to: LinkTo, sessions: sessionmaker[Session]) -> None:
    assert user.get("/api/accounts/me").status_code == 200
    with sessions() as session:
        stored = session.scalars(select(AccountToken.token_hash)).one()
    assert stored != link_to("verify_email")
    assert len(stored) == 64


def test_a_reset_has_the_same_response_for_known_and_unknown_addresses(
    client: httpx.Client, user: httpx.Client, count_mails: Callable[[], int]
) -> None:
    known = user.get("/api/accounts/me").json()["email"]
    before = count_mails()
    responses = [
        client.post("/api/accounts/password-reset", json={"email": email}) for email in (known, "nobody@example.com")
    ]
    assert [(response.status_code, response.content) for response in responses] == [(202, b"null"), (202, b"null")]
    assert count_mails() == before + 1


def test_a_log_in_takes_as_long_for_an_unknown_address(client: httpx.Client) -> None:
    known = str(sign_up_and_in(client)["email"])

    def seconds(email: str) -> float:
        started = time.perf_counter()
        client.post("/api/session", json={"email": email, "password": "wrong password"})
        return time.perf_counter() - started

    times = [(seconds(known), seconds("nobody@example.com")) for _ in range(12)]
    ratio = statistics.median(one for one, _other in times) / statistics.median(other for _one, other in times)
    assert 0.6 < ratio < 1.6


def test_a_password_change_signs_out_the_other_devices(server: LiveServer, user: httpx.Client) -> None:
    email = user.get("/api/accounts/me").json()["email"]
    with server.client() as other:
        other.post("/api/session", json={"email": email, "password": PASSWORD})
        wrong = {"current_password": "wrong password", "new_password": NEW_PASSWORD}
        refusal(user.post("/api/accounts/me/password", json=wrong), 422, "wrong_password")
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        assert user.post("/api/accounts/me/password", json=body).status_code == 204
        refusal(other.post("/api/session/refresh"), 401, "session_ended")
    assert user.post("/api/session/refresh").status_code == 204


def test_an_address_changes_when_its_new_owner_follows_the_link(
    user: httpx.Client, link_to: LinkTo, count_mails: Callable[[], int]
) -> None:
    old, new = user.get("/api/accounts/me").json()["email"], str(account()["email"])
    assert user.post("/api/accounts/me/email", json={"email": new, "password": PASSWORD}).status_code == 202
    assert user.get("/api/accounts/me").json()["email"] == old
    assert user.post("/api/accounts/verify", json={"token": link_to("change_email")}).status_code == 204
    changed = user.get("/api/accounts/me").json()
    assert changed["email"] == new
    assert changed["email_verified"] is True
    refusal(user.post("/api/accounts/me/email", json={"email": old, "password": "wrong"}), 422, "wrong_password")


def test_a_change_to_a_taken_address_is_ignored_silently(
    user: httpx.Client, other_user: httpx.Client, count_mails: Callable[[], int]
) -> None:
    taken = other_user.get("/api/accounts/me").json()["email"]
    before = count_mails()
    assert user.post("/api/accounts/me/email", json={"email": taken, "password": PASSWORD}).status_code == 202
    assert count_mails() == before


def test_devices_are_listed_and_ended(server: LiveServer, user: httpx.Client) -> None:
    email = user.get("/api/accounts/me").json()["email"]
    with server.client() as phone:
        credentials = {"email": email, "password": PASSWORD}
        phone.post("/api/session", json=credentials, headers={"User-Agent": "A phone 1.0"})
        items = user.get("/api/sessions").json()["items"]
        assert items[0]["device"] == "A phone 1.0"
        assert items[0]["current"] is False
        assert items[0]["address"] == "127.0.0.1"
        assert user.delete(f"/api/sessions/{items[0]['id']}").status_code == 204
        refusal(user.delete(f"/api/sessions/{items[0]['id']}"), 404, "session_not_found")
        refusal(phone.post("/api/session/refresh"), 401, "session_ended")
        refusal(phone.patch("/api/accounts/me", json={"name": "X"}), 401, "not_authenticated")
        assert phone.get("/api/jobs").status_code == 200, "reads continue until the access token expires"


def test_another_users_session_is_not_found(user: httpx.Client, other_user: httpx.Client) -> None:
    [theirs] = other_user.get("/api/sessions").json()["items"]
    refusal(user.delete(f"/api/sessions/{theirs['id']}"), 404, "session_not_found")
    assert other_user.post("/api/session/refresh").status_code == 204


@pytest.mark.parametrize("column", ["disabled_at", "deleted_at"])
def test_a_disabled_or_deleted_account_cannot_write(
    user: httpx.Client, sessions: sessionmaker[Session], column: str
) -> None:
    email = user.get("/api/accounts/me").json()["email"]
    with transaction(sessions) as session:
        session.execute(update(User).values({column: utc_now()}))
    upload = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 10}
    refusal(user.post("/api/uploads", json=upload), 401, "not_authenticated")
    refusal(user.post("/api/session/refresh"), 401, "session_ended")
    response = user.post("/api/session", json={"email": email, "password": PASSWORD})
    assert response.status_code == (403 if column == "disabled_at" else 401)


def test_an_api_client_gets_and_refreshes_a_bearer_token(client: httpx.Client, server: LiveServer) -> None:
    body = account()
    client.post("/api/accounts", json=body)
    form = {"grant_type": "password", "username": str(body["email"]), "password": PASSWORD}
    tokens = client.post("/api/session/token", data=form).json()
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 1800
    assert not client.cookies
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert httpx.get(f"{server.url}/api/accounts/me", headers=headers).status_code == 200
    again = client.post("/api/session/token/refresh", json={"refresh_token": tokens["refresh_token"]}).json()
    assert again["refresh_token"] not in (None, tokens["refresh_token"])
    refusal(client.post("/api/session/token", data=form | {"password": "wrong"}), 401, "wrong_credentials")


def test_a_name_and_a_preference_change_independently(user: httpx.Client) -> None:
    assert user.patch("/api/accounts/me", json={"name": " New name "}).json()["name"] == "New name"
    changed = user.patch("/api/accounts/me", json={"mail_when_finished": True}).json()
    assert changed["name"] == "New name"
    assert changed["mail_when_finished"] is True


def test_a_log_out_deletes_the_session(user: httpx.Client, sessions: sessionmaker[Session]) -> None:
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 1
    user.delete("/api/session")
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(LoginSession)) == 0
