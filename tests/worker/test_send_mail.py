"""Mails through a real mail server: sent after commit, retried only when safe, never twice for one event."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction, utc_now
from backend.infra.mailer import OutboxMailer, create_mailer
from backend.mails.models import Mail
from backend.mails.service import queue_mail, send_due_mails
from backend.settings import Settings
from scripts.valkey import free_port
from tests.conftest import MakeSettings
from tests.worker.inbox import Inbox, mail_server
from worker.send_mail import send_mail


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def mail_settings(make_settings: MakeSettings, inbox: Inbox) -> Iterator[Settings]:
    with mail_server(inbox) as port:
        yield make_settings(
            SMTP_HOST="127.0.0.1", SMTP_PORT=port, SMTP_SECURITY="none", MAIL_FROM="Shop <s@shop.example>"
        )


def queue(sessions: sessionmaker[Session], event: str = "event-1", **context: str) -> UUID:
    with transaction(sessions) as session:
        queue_mail(
            session,
            event=event,
            recipient="user@example.com",
            template="reset_password",
            context={"name": "A <b>user</b>", "link": "https://studio.example/x#token=s3cret", **context},
            request_id="test-request",
        )
        return session.scalars(select(Mail.id).where(Mail.event == event)).one()


def status_of(sessions: sessionmaker[Session], mail_id: UUID) -> str:
    with sessions() as session:
        return session.get_one(Mail, mail_id).status


def test_a_mail_arrives_as_text_and_html(
    mail_settings: Settings, sessions: sessionmaker[Session], inbox: Inbox
) -> None:
    mail_id = queue(sessions)
    send_mail(mail_id, mail_settings, sessions, create_mailer(mail_settings))
    [message] = inbox.messages
    assert message["To"] == "user@example.com"
    assert message["From"] == "Shop <s@shop.example>"
    assert message["Subject"] == "Set a new password"
    assert message["Message-ID"] == f"<{mail_id.hex}@shop.example>"
    text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert "https://studio.example/x#token=s3cret" in text.get_content()
    assert "A &lt;b&gt;user&lt;/b&gt;" in html.get_content()
    assert status_of(sessions, mail_id) == "sent"


def test_a_mails_content_is_deleted_after_it_is_sent(mail_settings: Settings, sessions: sessionmaker[Session]) -> None:
    mail_id = queue(sessions)
    send_mail(mail_id, mail_settings, sessions, create_mailer(mail_settings))
    with sessions() as session:
        assert session.get_one(Mail, mail_id).context == {}


def test_an_event_queued_twice_creates_one_mail(
    mail_settings: Settings, sessions: sessionmaker[Session], inbox: Inbox
) -> None:
    mail_id = queue(sessions)
    assert queue(sessions) == mail_id
    for _ in range(3):
        send_mail(mail_id, mail_settings, sessions, create_mailer(mail_settings))
    assert len(inbox.messages) == 1


def test_a_mail_of_a_rolled_back_transaction_is_never_sent(sessions: sessionmaker[Session]) -> None:
    with suppress(ZeroDivisionError), transaction(sessions) as session:
        queue_mail(session, event="e", recipient="a@b.example", template="x", context={}, request_id="")
        raise ZeroDivisionError
    with sessions() as session:
        assert session.scalars(select(Mail)).all() == []


def test_a_mail_to_a_busy_server_is_retried_later(
    mail_settings: Settings, sessions: sessionmaker[Session], inbox: Inbox
) -> None:
    inbox.responses = ["451 busy"]
    mail_id = queue(sessions)
    mailer = create_mailer(mail_settings)
    send_mail(mail_id, mail_settings, sessions, mailer)
    assert status_of(sessions, mail_id) == "queued"
    send_mail(mail_id, mail_settings, sessions, mailer)
    assert inbox.messages == [], "it is not due yet"
    with transaction(sessions) as session:
        session.execute(update(Mail).values(send_after=utc_now()))
    send_mail(mail_id, mail_settings, sessions, mailer)
    assert len(inbox.messages) == 1


def test_a_mail_fails_after_its_attempts_while_the_server_is_unavailable(
    make_settings: MakeSettings, sessions: sessionmaker[Session]
) -> None:
    settings = make_settings(SMTP_HOST="127.0.0.1", SMTP_PORT=free_port(), SMTP_SECURITY="none")
    mail_id = queue(sessions)
    for _ in range(8):
        with transaction(sessions) as session:
            session.execute(update(Mail).values(send_after=utc_now()))
        send_mail(mail_id, settings, sessions, create_mailer(settings))
    assert status_of(sessions, mail_id) == "failed"


@pytest.mark.parametrize("place", ["recipient", "text"])
def test_a_refused_mail_is_not_retried(
    mail_settings: Settings, sessions: sessionmaker[Session], inbox: Inbox, place: str
) -> None:
    if place == "recipient":
        inbox.recipient_response = "550 no such user"
    else:
        inbox.responses = ["554 spam"]
    mail_id = queue(sessions)
    send_mail(mail_id, mail_settings, sessions, create_mailer(mail_settings))
    assert status_of(sessions, mail_id) == "failed"


def test_a_mail_is_not_retried_after_the_connection_broke_during_its_text(
    mail_settings: Settings, sessions: sessionmaker[Session], inbox: Inbox
) -> None:
    inbox.responses = ["hang up"]
    mail_id = queue(sessions)
    send_mail(mail_id, mail_settings, sessions, create_mailer(mail_settings))
    assert status_of(sessions, mail_id) == "uncertain"


def test_a_mail_is_not_sent_again_after_a_crash_while_sending_but_is_after_a_lost_message(
    sessions: sessionmaker[Session],
) -> None:
    died, lost = queue(sessions, "died"), queue(sessions, "lost")
    long_ago = utc_now() - timedelta(hours=1)
    with transaction(sessions) as session:
        session.execute(update(Mail).where(Mail.id == died).values(status="sending", send_after=long_ago))
        session.execute(update(Mail).where(Mail.id == lost).values(send_after=long_ago))
    with transaction(sessions) as session:
        assert send_due_mails(session) == 1
    assert status_of(sessions, died) == "uncertain"
    assert status_of(sessions, lost) == "queued"


def test_development_writes_mails_to_files(settings: Settings, sessions: sessionmaker[Session], tmp_path: Path) -> None:
    mail_id = queue(sessions)
    mailer = create_mailer(settings)
    assert isinstance(mailer, OutboxMailer)
    send_mail(mail_id, settings, sessions, mailer)
    [file] = (tmp_path / "outbox").iterdir()
    assert "token=s3cret" in file.read_text()
