"""Sends mail over SMTP. In development, prints it and saves it as an HTML file."""

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
    """The server rejected this mail permanently. Do not retry."""


class MailDeferred(Exception):
    """The server is unavailable or returned a temporary error. Nothing was delivered; retry later."""


class MailUncertain(Exception):
    """The connection broke during the transfer. The mail may have been delivered."""


class Mailer(Protocol):
    def send(self, *, id: str, recipient: str, subject: str, text: str, html: str) -> None:
        """Send one mail. Raises MailRefused, MailDeferred, MailUncertain."""


def create_mailer(settings: Settings) -> Mailer:
    """Return a mailer for SMTP_HOST, or for the outbox folder if SMTP_HOST is empty."""
    return SmtpMailer(settings) if settings.SMTP_HOST else OutboxMailer(settings)


class SmtpMailer:
    """Sends over SMTP with STARTTLS or TLS, and verifies certificates."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, *, id: str, recipient: str, subject: str, text: str, html: str) -> None:
        """Send one mail over a new connection."""
        message = build_message(self._settings, id=id, recipient=recipient, subject=subject, text=text, html=html)
        try:
            connection = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise MailDeferred(type(error).__name__) from error
        with connection:
            _deliver(connection, message)

    def _connect(self) -> smtplib.SMTP:
        settings = self._settings
        address = (settings.SMTP_HOST, settings.SMTP_PORT)
        connection: smtplib.SMTP
        if settings.SMTP_SECURITY == "tls":
            connection = smtplib.SMTP_SSL(*address, timeout=TIMEOUT_SECONDS, context=_tls())
        else:
            connection = smtplib.SMTP(*address, timeout=TIMEOUT_SECONDS)
        if settings.SMTP_SECURITY == "starttls":
            connection.starttls(context=_tls())
        if settings.SMTP_USERNAME:
            connection.login(settings.SMTP_USERNAME, settings.SMTP_PASSWORD.get_secret_value())
        return connection


class OutboxMailer:
    """Prints mails and saves each as an .html file in DATA_DIR/outbox."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folder = settings.DATA_DIR / "outbox"

    def send(self, *, id: str, recipient: str, subject: str, text: str, html: str) -> None:
        build_message(self._settings, id=id, recipient=recipient, subject=subject, text=text, html=html)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{id}.html"
        path.write_text(html, encoding="utf-8")
        if self._settings.ENVIRONMENT == "development":
            print(f"\n--- mail to {recipient}: {subject}\n{text}\n--- {Path(path).resolve().as_uri()}\n", flush=True)  # noqa: T201


def build_message(settings: Settings, *, id: str, recipient: str, subject: str, text: str, html: str) -> EmailMessage:
    """Return the message. Raises MailRefused if the address or subject is not a valid header value."""
    name, sender = parseaddr(settings.MAIL_FROM)
    message = EmailMessage()
    try:
        message["From"] = Address(display_name=name or settings.APP_NAME, addr_spec=sender)
        message["To"] = Address(addr_spec=recipient)
        message["Subject"] = subject
    except (ValueError, IndexError) as error:
        raise MailRefused("the address or subject is not a valid header value") from error
    message["Date"] = formatdate()
    # The same id in every attempt, so that servers can recognise duplicates.
    message["Message-ID"] = f"<{id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    return message


def _deliver(connection: smtplib.SMTP, message: EmailMessage) -> None:
    """Send the message. A broken connection is uncertain only after DATA started; before, nothing was delivered."""
    try:
        connection.ehlo_or_helo_if_needed()
        _expect_success(*connection.mail(parseaddr(str(message["From"]))[1]))
        _expect_success(*connection.rcpt(parseaddr(str(message["To"]))[1]))
    except (smtplib.SMTPException, OSError) as error:
        raise MailDeferred(type(error).__name__) from error
    try:
        _expect_success(*connection.data(message.as_bytes(policy=SMTP)))
    except smtplib.SMTPDataError as error:
        _expect_success(error.smtp_code, b"")
    except (smtplib.SMTPException, OSError) as error:
        raise MailUncertain(type(error).__name__) from error


def _expect_success(code: int, _reply: bytes) -> None:
    if code >= 500:
        raise MailRefused(str(code))
    if code >= 400:
        raise MailDeferred(str(code))


def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
