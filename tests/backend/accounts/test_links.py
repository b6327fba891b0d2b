"""Mailed links: what invalidates them, and how many mails an address gets."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlalchemy.orm import Session, sessionmaker

from tests.actions import PASSWORD, sign_up_and_in
from tests.backend.accounts.mailed import Mailed
from tests.backend.accounts.test_accounts import account
from tests.backend.jobs.test_create_job import refusal
from tests.servers import LiveServer

NEW_PASSWORD = "another horse battery"
RESET, CONFIRM = "/api/accounts/password-reset", "/api/accounts/password-reset/confirm"
VERIFY, RESEND = "/api/accounts/verify", "/api/accounts/verify/resend"
CHANGE = "/api/accounts/me/email"


@pytest.fixture
def mailed(server: LiveServer, sessions: sessionmaker[Session]) -> Mailed:
    return Mailed(server, sessions)


def email_of(user: httpx.Client) -> str:
    return str(user.get("/api/accounts/me").json()["email"])


def request_reset(user: httpx.Client) -> None:
    assert user.post(RESET, json={"email": email_of(user)}).status_code == 202


def request_change(user: httpx.Client, email: object) -> None:
    assert user.post(CHANGE, json={"email": email, "password": PASSWORD}).status_code == 202


def change_password(user: httpx.Client, mailed: Mailed) -> None:
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    assert user.post("/api/accounts/me/password", json=body).status_code == 204


def reset_password(user: httpx.Client, mailed: Mailed) -> None:
    body = {"token": mailed.secret("reset_password"), "password": NEW_PASSWORD}
    assert user.post(CONFIRM, json=body).status_code == 204


def change_address(user: httpx.Client, mailed: Mailed) -> None:
    assert user.post(VERIFY, json={"token": mailed.secret("change_email")}).status_code == 204


@pytest.mark.parametrize("end", [change_password, reset_password, change_address])
def test_a_new_password_or_address_invalidates_every_other_link(
    end: Callable[[httpx.Client, Mailed], None], user: httpx.Client, other_user: httpx.Client, mailed: Mailed
) -> None:
    request_reset(user)
    request_change(user, account()["email"])
    links = {name: mailed.secret(name) for name in ("reset_password", "change_email")}
    request_reset(other_user)
    of_another = mailed.secret("reset_password")
    if end is reset_password:
        body = {"token": links["reset_password"], "password": NEW_PASSWORD}
        assert user.post(CONFIRM, json=body).status_code == 204
    else:
        end(user, mailed)
    body = {"token": links["reset_password"], "password": "a third horse battery"}
    refusal(user.post(CONFIRM, json=body), 422, "invalid_token")
    refusal(user.post(VERIFY, json={"token": links["change_email"]}), 422, "invalid_token")
    assert user.post(CONFIRM, json={"token": of_another, "password": NEW_PASSWORD}).status_code == 204


def test_verifying_an_address_keeps_the_other_links_valid(user: httpx.Client, mailed: Mailed) -> None:
    request_reset(user)
    assert user.post(VERIFY, json={"token": mailed.secret("verify_email")}).status_code == 204
    reset_password(user, mailed)
    assert "email_changed" not in mailed.templates()


def test_the_old_address_is_notified_of_the_change(user: httpx.Client, mailed: Mailed) -> None:
    old, new = email_of(user), str(account()["email"])
    request_change(user, new)
    assert "email_changed" not in mailed.templates(old)
    change_address(user, mailed)
    assert mailed.templates(old)[-1] == "email_changed"
    assert mailed.templates(new) == ["change_email"]


def test_a_change_to_an_address_taken_in_the_meantime_is_refused_without_mail(
    user: httpx.Client, client: httpx.Client, mailed: Mailed
) -> None:
    taken = account()
    request_change(user, taken["email"])
    link = mailed.secret("change_email")
    assert client.post("/api/accounts", json=taken).status_code == 201
    refusal(user.post(VERIFY, json={"token": link}), 409, "email_taken")
    assert "email_changed" not in mailed.templates()


def test_a_link_is_not_sent_again_within_two_minutes(user: httpx.Client, mailed: Mailed) -> None:
    email = email_of(user)
    new = account()["email"]
    for _ in range(3):
        request_reset(user)
        request_change(user, new)
        assert user.post(RESEND).status_code == 202
        mailed.templates()
    assert sorted(mailed.templates(email)) == ["reset_password", "verify_email"]
    assert mailed.templates(str(new)) == ["change_email"]
    mailed.age_links()
    request_reset(user)
    assert mailed.templates(email).count("reset_password") == 2


def test_concurrent_reset_requests_send_one_mail(user: httpx.Client, mailed: Mailed) -> None:
    email = email_of(user)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _n: user.post(RESET, json={"email": email}), range(4)))
    assert mailed.templates(email).count("reset_password") == 1


def test_a_mistyped_new_address_can_be_corrected_immediately(user: httpx.Client, mailed: Mailed) -> None:
    request_change(user, account()["email"])
    mistyped = mailed.secret("change_email")
    right = str(account()["email"])
    request_change(user, right)
    assert mailed.templates(right) == ["change_email"]
    refusal(user.post(VERIFY, json={"token": mistyped}), 422, "invalid_token")
    change_address(user, mailed)
    assert email_of(user) == right


def test_sign_ups_mail_an_address_at_most_five_times_per_hour(client: httpx.Client, mailed: Mailed) -> None:
    body = account()
    for _ in range(7):
        assert client.post("/api/accounts", json=body).status_code == 201
        client.post("/api/session", json=body).raise_for_status()
        client.request("DELETE", "/api/accounts/me", json={"password": PASSWORD}).raise_for_status()
    assert mailed.templates(str(body["email"])) == ["verify_email"] * 5


def test_address_changes_mail_an_address_at_most_five_times_per_hour(server: LiveServer, mailed: Mailed) -> None:
    wanted = str(account()["email"])
    for _ in range(7):
        with server.client() as client:
            sign_up_and_in(client)
            request_change(client, wanted)
    assert mailed.templates(wanted) == ["change_email"] * 5
