"""Sends one mail over SMTP; in development prints it and keeps it as a file a browser opens."""

import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr
from pathlib import Path
from typing import Protocol

import structlog

from backend.settings import Settings

log = structlog.get_logger(__name__)

TIMEOUT_SECONDS = 20


class MailRefused(Exception):
    """The server refuses this mail or its address for good; trying again is pointless."""


class MailDeferred(Exception):
    """The server is away or asks to come back; nothing was delivered."""


class MailUncertain(Exception):
    """The connection broke while the server was taking the mail: it may have arrived."""


class Mailer(Protocol):
    """What sends mails."""

    def send(self, *, id: str, recipient: str, subject: str, text: str, html: str) -> None:
        """Send one mail. Raises MailRefused, MailDeferred, MailUncertain."""


def create_mailer(settings: Settings) -> Mailer:
    """Return what the settings name: a mail server, or the outbox folder of development."""
    return SmtpMailer(settings) if settings.SMTP_HOST else OutboxMailer(settings)


class SmtpMailer:
    """Sends over SMTP with STARTTLS or TLS, certificates checked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, *, id: str, recipient: str, subject: str, text: str, html: str) -> None:
        """Send one mail on a connection of its own."""
        message = build_message(self._settings, id=id, recipient=recipient, subject=subject, text=text, html=html)
        try:
            connection = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise MailDeferred(type(error).__name__) from error
        with connection:
            _deliver(connection, message)

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        place = (settings.SMTP_HOST, settings.SMTP_PORT)
        connection: smtplib.SMTP
        if settings.SMTP_SECURITY == "tls":
            connection = smtplib.SMTP_SSL(*place, timeout=TIMEOUT_SECONDS, context=_tls())
        else:
            connection = smtplib.SMTP(*place, timeout=TIMEOUT_SECONDS)
        if settings.SMTP_SECURITY == "starttls":
            connection.starttls(context=_tls())
        if settings.SMTP_USERNAME:
            connection.login(settings.SMTP_USERNAME, settings.SMTP_PASSWORD.get_secret_value())
        return connection


class OutboxMailer:
    """Prints mails and keeps them under DATA_DIR/outbox, each as an .html file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.DATA_DIR / "outbox"

    def send(self, *, id: str, recipient: str, subject: str, text: str, html: str) -> None:
        """Write the mail where a person finds it."""
        build_message(self._settings, id=id, recipient=recipient, subject=subject, text=text, html=html)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{id}.html"
        path.write_text(html, encoding="utf-8")
        if self._settings.ENVIRONMENT == "development":
            print(f"\n--- mail to {recipient}: {subject}\n{text}\n--- {Path(path).resolve().as_uri()}\n", flush=True)  # noqa: T201


def build_message(settings: Settings, *, id: str, recipient: str, subject: str, text: str, html: str) -> EmailMessage:
    """Return the message. Raises MailRefused for an address or a subject that would break its headers."""
    name, sender = parseaddr(settings.MAIL_FROM)
    message = EmailMessage()
    try:
        message["From"] = Address(display_name=name or settings.APP_NAME, addr_spec=sender)
        message["To"] = Address(addr_spec=recipient)
        message["Subject"] = subject
    except (ValueError, IndexError) as error:
        raise MailRefused("the address or the subject can't be a header") from error
    message["Date"] = formatdate()
    # The same for every attempt: a server that saw it already can tell.
    message["Message-ID"] = f"<{id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def _deliver(connection: smtplib.SMTP, message: EmailMessage) -> None:
    """Hand the mail over; only from the moment its text goes out can a broken connection mean that it arrived."""
    try:
        connection.ehlo_or_helo_if_needed()
        _expect(*connection.mail(parseaddr(str(message["From"]))[1]))
        _expect(*connection.rcpt(parseaddr(str(message["To"]))[1]))
    except (smtplib.SMTPException, OSError) as error:
        raise MailDeferred(type(error).__name__) from error
    try:
        _expect(*connection.data(message.as_bytes(policy=SMTP)))
    except smtplib.SMTPDataError as error:
        _expect(error.smtp_code, b"")
    except (smtplib.SMTPException, OSError) as error:
        raise MailUncertain(type(error).__name__) from error


def _expect(code: int, _reply: bytes) -> None:
    if code >= 500:
        raise MailRefused(str(code))
    if code >= 400:
        raise MailDeferred(str(code))


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
