"""Signing in with Google: which account a Google identity opens, or makes."""

from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.errors import (
    AccountDisabled,
    GoogleConflict,
    GoogleDenied,
    GoogleFailed,
    GoogleUnverified,
    RegistrationClosed,
)
from backend.accounts.google_transaction import begin_transaction, read_transaction
from backend.accounts.models import User
from backend.accounts.schemas import Email
from backend.accounts.sessions import Device, Tokens, start_session
from backend.infra.db import transaction, utc_now
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
    """What Google sent the browser back with."""

    state: str
    code: str
    error: str


@dataclass(frozen=True, slots=True)
class Person:
    """Who Google says is there; `email` is None unless Google has verified it."""

    subject: str
    email: str | None
    name: str


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
    *,
    cookie: str,
    answer: Answer,
    device: Device,
) -> tuple[Tokens, str]:
    """Start a session for whom Google sends back; return its tokens and the page to go to.

    Takes the factory, since no transaction may stay open while Google is asked.
    Raises GoogleFailed, GoogleDenied, GoogleUnverified, GoogleConflict, AccountDisabled, RegistrationClosed.
    """
    begun = read_transaction(settings, cookie, answer.state)
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
            user = _account_of(session, settings, person)
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


def _account_of(session: Session, settings: Settings, person: Person) -> User:
    """Return the account a person may use; it is linked, or made, when this is their first time."""
    user = _find_account(session, person)
    if user is None:
        try:
            with session.begin_nested():
                return _make_account(session, settings, person)
        except IntegrityError:
            # Another request made it meanwhile.
            user = _find_account(session, person)
    if user is None:
        raise GoogleFailed
    return user


def _find_account(session: Session, person: Person) -> User | None:
    user = session.scalar(select(User).where(User.google_subject == person.subject))
    if user is None and person.email is None:
        raise GoogleUnverified
    if user is None:
        # Locked: of two Google accounts with this address, now or in turn, one is linked.
        user = session.scalar(select(User).where(User.email == person.email).with_for_update(key_share=True))
    if user is None:
        return None
    if user.disabled_at is not None or user.deleted_at is not None:
        raise AccountDisabled
    if user.google_subject != person.subject:
        _link(user, person)
    return user


def _link(user: User, person: Person) -> None:
    """Link an account to a Google identity with the same address.

    Not while our own copy of the address is unverified: whoever made the account may not own the address, and would
    keep a password to what its owner then does. Nor when another Google identity is linked: addresses change hands.
    """
    if user.email_verified_at is None or user.google_subject is not None:
        raise GoogleConflict
    user.google_subject = person.subject
    log.info("google_linked", user_id=str(user.id))


def _make_account(session: Session, settings: Settings, person: Person) -> User:
    if not settings.ENABLE_REGISTRATION:
        raise RegistrationClosed
    user = User(email=person.email, name=person.name, google_subject=person.subject, email_verified_at=utc_now())
    session.add(user)
    return user
