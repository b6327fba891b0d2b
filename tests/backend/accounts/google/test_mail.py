"""The owner of an account is mailed when a Google identity is linked to it, once, and only when it truly is."""

import httpx
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import transaction, utc_now
from backend.mails.models import Mail
from backend.mails.render import render
from backend.settings import Settings
from tests.backend.accounts.google.flow import CALLBACK, person, refused, subject_of
from tests.backend.accounts.google.provider import OddProvider
from tests.servers import LiveServer

Sessions = sessionmaker[Session]


def make_user(sessions: Sessions, email: str) -> None:
    with transaction(sessions) as session:
        session.add(User(email=email, name="Ada <b>L", email_verified_at=utc_now()))


def count_mails(sessions: Sessions) -> int:
    with sessions() as session:
        return session.query(Mail).count()


def test_the_owner_of_a_linked_account_is_told_once(
    google_server: LiveServer, provider: OddProvider, sessions: Sessions, settings: Settings
) -> None:
    who = person()
    make_user(sessions, who["email"])
    for _ in range(2):
        with google_server.client() as browser:
            way_back = provider.way_back(browser, **who)
            headers = {"X-Request-ID": "the-request"}
            assert browser.get(CALLBACK, params=way_back, headers=headers).headers["location"] == "/"
    with sessions() as session:
        mail = session.query(Mail).one()
    assert (mail.template, mail.recipient, mail.request_id) == ("google_linked", who["email"], "the-request")
    subject, plain, html = render(mail.template, mail.context, settings)
    assert subject == "You can now log in with Google"
    for body in (plain, html):
        assert f"{settings.PUBLIC_URL}/forgot-password" in body
    assert "Ada &lt;b&gt;L" in html


def test_the_mail_goes_to_our_address_of_the_owner(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    make_user(sessions, "ada@example.com")
    provider.sign_in(browser, email="ADA@example.com")
    with sessions() as session:
        assert session.query(Mail).one().recipient == "ada@example.com"


def test_nobody_is_mailed_about_an_account_that_google_made(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    assert provider.sign_in(browser).headers["location"] == "/"
    assert count_mails(sessions) == 0


def test_a_link_that_fails_at_the_end_is_neither_kept_nor_mailed(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    who = person()
    make_user(sessions, who["email"])
    with transaction(sessions) as session:
        session.execute(text("DROP TABLE sessions"))
    refused(provider.sign_in(browser, **who), "google_failed")
    assert subject_of(sessions, who) is None
    assert count_mails(sessions) == 0


def test_a_refused_link_is_not_mailed(browser: httpx.Client, provider: OddProvider, sessions: Sessions) -> None:
    who = person()
    provider.sign_in(browser, **who)
    refused(provider.sign_in(browser, **person(email=who["email"])), "google_conflict")
    assert count_mails(sessions) == 0
