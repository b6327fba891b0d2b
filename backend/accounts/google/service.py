"""Signing in with Google, from leaving for Google to a session for whom it sends back."""

from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.errors import GoogleDenied, GoogleFailed
from backend.accounts.google.accounts import Person, open_account
from backend.accounts.google.transaction import begin_transaction, read_transaction
from backend.accounts.schemas import Email
from backend.accounts.sessions import Device, Tokens, start_session
from backend.infra.db import transaction
from backend.infra.openid import OpenIdError, OpenIdProvider
from backend.settings import Settings
from backend.text import strip_unprintable

log = structlog.get_logger(__name__)

CALLBACK_PATH = "/api/oauth/google/callback"
MAX_NAME = 100
MAX_SUBJECT = 255
MAX_CODE = 2000
_email: TypeAdapter[str] = TypeAdapter(Email)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser comes back from Google with: our cookie, and what Google has it say."""

    cookie: str
    state: str
    code: str
    error: str


def google_provider(settings: Settings) -> OpenIdProvider | None:
    """Return Google as the settings describe it, or None when they don't."""
    secret = settings.GOOGLE_CLIENT_SECRET.get_secret_value()
    if not (settings.GOOGLE_CLIENT_ID and secret):
        return None
    return OpenIdProvider(settings.GOOGLE_DISCOVERY_URL, settings.GOOGLE_CLIENT_ID, secret)


def begin_sign_in(provider: OpenIdProvider, settings: Settings, next: str) -> tuple[str, str]:
    """Return the address to send the browser to, and the cookie it must bring back. Raises GoogleFailed."""
    begun, cookie = begin_transaction(settings, next)
    try:
        address = provider.authorization_url(
            redirect_uri=settings.PUBLIC_URL + CALLBACK_PATH,
            state=begun.state,
            nonce=begun.nonce,
            verifier=begun.verifier,
        )
    except OpenIdError as error:
        raise _failed(error) from error
    return address, cookie


def finish_sign_in(
    sessions: sessionmaker[Session],
    provider: OpenIdProvider,
    settings: Settings,
    answer: Answer,
    device: Device,
    request_id: str,
) -> tuple[Tokens, str]:
    """Start a session for whom Google sends back; return its tokens and the page to go to.

    Takes the factory, since no transaction may stay open while Google is asked.
    Raises GoogleFailed, GoogleDenied, GoogleUnverified, GoogleConflict, AccountDisabled, RegistrationClosed.
    """
    begun = read_transaction(settings, answer.cookie, answer.state)
    if answer.error == "access_denied":
        raise GoogleDenied
    if answer.error or not 0 < len(answer.code) <= MAX_CODE:
        raise GoogleFailed
    try:
        claims = provider.redeem(
            answer.code,
            redirect_uri=settings.PUBLIC_URL + CALLBACK_PATH,
            nonce=begun.nonce,
            verifier=begun.verifier,
        )
    except OpenIdError as error:
        raise _failed(error) from error
    person = _person(claims)
    try:
        with transaction(sessions) as session:
            user = open_account(session, settings, person, request_id)
            return start_session(session, settings, user, device), begun.next
    except SQLAlchemyError as error:
        # Elsewhere an error's document says so; here a browser would show it as a page.
        log.error("google_sign_in_failed", reason=type(error).__name__, exc_info=error)
        raise GoogleFailed from error


def _failed(error: OpenIdError) -> GoogleFailed:
    log.warning("google_sign_in_failed", reason=str(error))
    return GoogleFailed()


def _person(claims: dict[str, Any]) -> Person:
    subject, name = claims["sub"], claims.get("name")
    if not 0 < len(subject) <= MAX_SUBJECT or not subject.isascii() or not subject.isprintable():
        raise GoogleFailed
    try:
        # Exactly true: some providers send the word, and "false" is a true string.
        email = _email.validate_python(claims["email"]) if claims.get("email_verified") is True else None
    except (KeyError, ValidationError):
        email = None
    given = _clean_name(name) if isinstance(name, str) else ""
    return Person(subject, email, given or _clean_name((email or "").partition("@")[0]))


def _clean_name(name: str) -> str:
    # JSON can carry halves of surrogate pairs, which no database stores.
    return strip_unprintable(name.encode(errors="ignore").decode())[:MAX_NAME].strip()
