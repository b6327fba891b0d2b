"""The account of a Google identity: its own, or one with the same address, verified on both sides."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import LoginSession, User
from backend.infra.db import commit, transaction, utc_now
from tests.actions import PASSWORD
from tests.backend.accounts.google.flow import call_back, new_google_user, refused, subject_of
from tests.backend.accounts.google.provider import OddProvider

Sessions = sessionmaker[Session]


def make_user(sessions: Sessions, google_user: dict[str, Any], **values: Any) -> None:
    """Create a user with a verified address and without Google, unless `values` says otherwise."""
    values = {"name": "Ada here", "email_verified_at": utc_now()} | values
    with transaction(sessions) as session:
        session.add(User(email=google_user["email"], **values))


def test_an_account_with_the_same_verified_address_is_linked_and_keeps_its_password(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    google_user = new_google_user()
    body = {"email": google_user["email"], "password": PASSWORD, "name": "Ada here"}
    assert browser.post("/api/accounts", json=body).status_code == 201
    with transaction(sessions) as session:
        session.query(User).one().email_verified_at = utc_now()
    assert provider.sign_in(browser, **google_user).headers["location"] == "/"
    assert browser.get("/api/accounts/me").json()["name"] == "Ada here"
    assert subject_of(sessions, google_user) == google_user["sub"]
    assert browser.post("/api/session", json={"email": google_user["email"], "password": PASSWORD}).status_code == 200


def test_an_account_with_an_unverified_address_is_not_linked(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    google_user = new_google_user()
    make_user(sessions, google_user, email_verified_at=None)
    refused(provider.sign_in(browser, **google_user), "google_conflict")
    assert subject_of(sessions, google_user) is None


def test_an_account_linked_to_another_google_account_is_refused(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    first = new_google_user()
    provider.sign_in(browser, **first)
    refused(provider.sign_in(browser, **new_google_user(email=first["email"])), "google_conflict")
    assert subject_of(sessions, first) == first["sub"]


def test_a_google_user_with_an_account_is_not_linked_to_a_second_one(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    google_user, other = new_google_user(), new_google_user()
    make_user(sessions, other)
    provider.sign_in(browser, **google_user)
    assert provider.sign_in(browser, **google_user | {"email": other["email"]}).headers["location"] == "/"
    assert browser.get("/api/accounts/me").json()["email"] == google_user["email"]
    assert subject_of(sessions, other) is None


@pytest.mark.parametrize(
    "claims",
    [{"email_verified": False}, {"email_verified": "true"}, {"email_verified": None}, {"email": "no address"}],
    ids=str,
)
@pytest.mark.parametrize("known", [True, False])
def test_an_address_that_google_has_not_verified_is_refused(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions, claims: dict[str, Any], known: bool
) -> None:
    google_user = new_google_user()
    if known:
        make_user(sessions, google_user)
    refused(provider.sign_in(browser, **google_user | claims), "google_unverified")
    with sessions() as session:
        assert [user.google_subject for user in session.query(User)] == [None] * known


@pytest.mark.parametrize("column", ["disabled_at", "deleted_at"])
@pytest.mark.parametrize("linked", [True, False])
def test_a_disabled_or_deleted_account_is_refused(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions, column: str, linked: bool
) -> None:
    google_user = new_google_user()
    subject = google_user["sub"] if linked else None
    make_user(sessions, google_user, google_subject=subject, **{column: utc_now()})
    refused(provider.sign_in(browser, **google_user), "account_disabled")
    assert subject_of(sessions, google_user) == subject
    with sessions() as session:
        assert session.query(LoginSession).count() == 0


def test_only_the_first_of_two_google_accounts_with_one_address_is_linked(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    google_user = new_google_user()
    make_user(sessions, google_user)
    callback_query = provider.callback_query(browser, **google_user)
    with ThreadPoolExecutor(1) as threads, transaction(sessions) as session:
        session.query(User).one().google_subject = "the first"
        session.flush()
        response = threads.submit(call_back, browser, **callback_query)
        time.sleep(0.5)
        assert not response.done()
        commit(session)
        refused(response.result(), "google_conflict")
    assert subject_of(sessions, google_user) == "the first"


def test_no_two_accounts_have_one_google_identity(sessions: Sessions) -> None:
    make_user(sessions, new_google_user(), google_subject="one")
    with pytest.raises(IntegrityError):
        make_user(sessions, new_google_user(), google_subject="one")
