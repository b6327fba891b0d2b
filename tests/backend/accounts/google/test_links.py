"""Which account a Google identity opens: its own, else one whose address is proven on both sides."""

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
from tests.backend.accounts.google.flow import call_back, person, refused, subject_of
from tests.backend.accounts.google.provider import OddProvider

Sessions = sessionmaker[Session]


def make_user(sessions: Sessions, who: dict[str, Any], **values: Any) -> None:
    """Make a person's account, with a verified address and without Google unless told otherwise."""
    values = {"name": "Ada here", "email_verified_at": utc_now()} | values
    with transaction(sessions) as session:
        session.add(User(email=who["email"], **values))


def test_an_account_with_the_same_verified_address_is_linked_and_keeps_its_password(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    who = person()
    body = {"email": who["email"], "password": PASSWORD, "name": "Ada here"}
    assert browser.post("/api/accounts", json=body).status_code == 201
    with transaction(sessions) as session:
        session.query(User).one().email_verified_at = utc_now()
    assert provider.sign_in(browser, **who).headers["location"] == "/"
    assert browser.get("/api/accounts/me").json()["name"] == "Ada here"
    assert subject_of(sessions, who) == who["sub"]
    assert browser.post("/api/session", json={"email": who["email"], "password": PASSWORD}).status_code == 200


def test_an_account_whose_address_nobody_verified_is_not_linked(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    who = person()
    make_user(sessions, who, email_verified_at=None)
    refused(provider.sign_in(browser, **who), "google_conflict")
    assert subject_of(sessions, who) is None


def test_an_account_linked_to_another_google_account_is_not_given_to_this_one(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    first = person()
    provider.sign_in(browser, **first)
    refused(provider.sign_in(browser, **person(email=first["email"])), "google_conflict")
    assert subject_of(sessions, first) == first["sub"]


def test_who_has_an_account_of_their_own_is_not_let_into_the_one_with_their_new_address(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    who, other = person(), person()
    make_user(sessions, other)
    provider.sign_in(browser, **who)
    assert provider.sign_in(browser, **who | {"email": other["email"]}).headers["location"] == "/"
    assert browser.get("/api/accounts/me").json()["email"] == who["email"]
    assert subject_of(sessions, other) is None


@pytest.mark.parametrize(
    "claims",
    [{"email_verified": False}, {"email_verified": "true"}, {"email_verified": None}, {"email": "no address"}],
    ids=str,
)
@pytest.mark.parametrize("known", [True, False])
def test_an_address_google_has_not_verified_opens_and_makes_nothing(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions, claims: dict[str, Any], known: bool
) -> None:
    who = person()
    if known:
        make_user(sessions, who)
    refused(provider.sign_in(browser, **who | claims), "google_unverified")
    with sessions() as session:
        assert [user.google_subject for user in session.query(User)] == [None] * known


@pytest.mark.parametrize("column", ["disabled_at", "deleted_at"])
@pytest.mark.parametrize("linked", [True, False])
def test_a_disabled_or_deleted_account_stays_shut(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions, column: str, linked: bool
) -> None:
    who = person()
    subject = who["sub"] if linked else None
    make_user(sessions, who, google_subject=subject, **{column: utc_now()})
    refused(provider.sign_in(browser, **who), "account_disabled")
    assert subject_of(sessions, who) == subject
    with sessions() as session:
        assert session.query(LoginSession).count() == 0


def test_of_two_google_accounts_with_one_address_the_first_is_linked(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    who = person()
    make_user(sessions, who)
    way_back = provider.way_back(browser, **who)
    with ThreadPoolExecutor(1) as threads, transaction(sessions) as session:
        session.query(User).one().google_subject = "the first"
        session.flush()
        answer = threads.submit(call_back, browser, **way_back)
        time.sleep(0.5)
        assert not answer.done()
        commit(session)
        refused(answer.result(), "google_conflict")
    assert subject_of(sessions, who) == "the first"


def test_no_two_accounts_have_one_google_identity(sessions: Sessions) -> None:
    make_user(sessions, person(), google_subject="one")
    with pytest.raises(IntegrityError):
        make_user(sessions, person(), google_subject="one")
