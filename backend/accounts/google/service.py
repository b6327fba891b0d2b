"""The Google sign-in: from the redirect to Google to the session."""

from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.errors import GoogleDenied, GoogleFailed
from backend.accounts.google.accounts import GoogleUser, open_account
from backend.accounts.google.transaction import create_transaction, read_transaction
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
class Callback:
    """The browser's request when it returns from Google: our cookie and Google's query parameters."""

    cookie: str
    state: str
    code: str
    error: str


def google_provider(settings: Settings) -> OpenIdProvider | None:
    secret = settings.GOOGLE_CLIENT_SECRET.get_secret_value()
    if not (settings.GOOGLE_CLIENT_ID and secret):
        return None
    return OpenIdProvider(settings.GOOGLE_DISCOVERY_URL, settings.GOOGLE_CLIENT_ID, secret)


def start_sign_in(provider: OpenIdProvider, settings: Settings, next: str) -> tuple[str, str]:
    """Return the URL at Google and the cookie to set. Raises GoogleFailed."""
    started, cookie = create_transaction(settings, next)
    try:
        address = provider.authorization_url(
            redirect_uri=settings.PUBLIC_URL + CALLBACK_PATH,
            state=started.state,
            nonce=started.nonce,
            verifier=started.verifier,
        )
    except OpenIdError as error:
        raise _failed(error) from error
    return address, cookie


def finish_sign_in(
    sessions: sessionmaker[Session],
    provider: OpenIdProvider,
    settings: Settings,
    callback: Callback,
    device: Device,
    request_id: str,
) -> tuple[Tokens, str]:
    """Start a session for the Google user. Returns its tokens and the path to open.

    Accepts the session factory, because no transaction may be open during requests to Google.
    Raises GoogleFailed, GoogleDenied, GoogleUnverified, GoogleConflict, AccountDisabled, RegistrationClosed.
    """
    started = read_transaction(settings, callback.cookie, callback.state)
    if callback.error == "access_denied":
        raise GoogleDenied
    if callback.error or not 0 < len(callback.code) <= MAX_CODE:
        raise GoogleFailed
    try:
        claims = provider.redeem(
            callback.code,
            redirect_uri=settings.PUBLIC_URL + CALLBACK_PATH,
            nonce=started.nonce,
            verifier=started.verifier,
        )
    except OpenIdError as error:
        raise _failed(error) from error
    google_user = _google_user(claims)
    try:
        with transaction(sessions) as session:
            user = open_account(session, settings, google_user, request_id)
            return start_session(session, settings, user, device), started.next
    except SQLAlchemyError as error:
        # Other routes return a problem document. Here the browser would display it as a page.
        log.error("google_sign_in_failed", reason=type(error).__name__, exc_info=error)
        raise GoogleFailed from error


def _failed(error: OpenIdError) -> GoogleFailed:
    log.warning("google_sign_in_failed", reason=str(error))
    return GoogleFailed()


def _google_user(claims: dict[str, Any]) -> GoogleUser:
    subject, name = claims["sub"], claims.get("name")
    if not 0 < len(subject) <= MAX_SUBJECT or not subject.isascii() or not subject.isprintable():
        raise GoogleFailed
    try:
        # Must be exactly True: some providers send a string, and "false" is truthy.
        email = _email.validate_python(claims["email"]) if claims.get("email_verified") is True else None
    except (KeyError, ValidationError):
        email = None
    given = _clean_name(name) if isinstance(name, str) else ""
    return GoogleUser(subject, email, given or _clean_name((email or "").partition("@")[0]))


def _clean_name(name: str) -> str:
    # JSON can contain lone surrogates, which databases reject.
    return strip_unprintable(name.encode(errors="ignore").decode())[:MAX_NAME].strip()
