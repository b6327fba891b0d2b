"""The owner of an account gets one mail when a Google identity is linked to it."""

import httpx
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import transaction, utc_now
from backend.mails.models import Mail
from backend.mails.render import render
from backend.settings import Settings
from tests.backend.accounts.google.flow import CALLBACK, new_google_user, refused, subject_of
from tests.backend.accounts.google.provider import OddProvider
from tests.servers import LiveServer

Sessions = sessionmaker[Session]


def make_user(sessions: Sessions, email: str) -> None:
    with transaction(sessions) as session:
        session.add(User(email=email, name="Ada <b>L", email_verified_at=utc_now()))


def count_mails(sessions: Sessions) -> int:
    with sessions() as session:
        return session.query(Mail).count()


def test_the_owner_of_a_linked_account_is_notified_once(
    google_server: LiveServer, provider: OddProvider, sessions: Sessions, settings: Settings
) -> None:
    google_user = new_google_user()
    make_user(sessions, google_user["email"])
    for _ in range(2):
        with google_server.client() as browser:
            callback_query = provider.callback_query(browser, **google_user)
            headers = {"X-Request-ID": "the-request"}
            assert browser.get(CALLBACK, params=callback_query, headers=headers).headers["location"] == "/"
    with sessions() as session:
        mail = session.query(Mail).one()
    assert mail.template == "google_linked"
    assert mail.recipient == google_user["email"]
    assert mail.request_id == "the-request"
    subject, plain, html = render(mail.template, mail.context, settings)
    assert subject == "You can now log in with Google"
    for body in (plain, html):
        assert f"{settings.PUBLIC_URL}/forgot-password" in body
    assert "Ada &lt;b&gt;L" in html


def test_the_mail_is_sent_to_the_stored_address(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    make_user(sessions, "ada@example.com")
    provider.sign_in(browser, email="ADA@example.com")
    with sessions() as session:
        assert session.query(Mail).one().recipient == "ada@example.com"


def test_no_mail_is_sent_for_an_account_created_by_google_sign_in(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    assert provider.sign_in(browser).headers["location"] == "/"
    assert count_mails(sessions) == 0


def test_a_link_that_fails_to_commit_is_neither_stored_nor_mailed(
    browser: httpx.Client, provider: OddProvider, sessions: Sessions
) -> None:
    google_user = new_google_user()
    make_user(sessions, google_user["email"])
    with transaction(sessions) as session:
        session.execute(text("DROP TABLE sessions"))
    refused(provider.sign_in(browser, **google_user), "google_failed")
    assert subject_of(sessions, google_user) is None
    assert count_mails(sessions) == 0


def test_a_refused_link_is_not_mailed(browser: httpx.Client, provider: OddProvider, sessions: Sessions) -> None:
    google_user = new_google_user()
    provider.sign_in(browser, **google_user)
    refused(provider.sign_in(browser, **new_google_user(email=google_user["email"])), "google_conflict")
    assert count_mails(sessions) == 0
