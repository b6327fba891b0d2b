"""Find, link or create the account of a Google identity."""

from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.errors import (
    AccountDisabled,
    GoogleConflict,
    GoogleFailed,
    GoogleUnverified,
    RegistrationClosed,
)
from backend.accounts.models import User
from backend.infra.db import new_id, utc_now
from backend.mails.service import queue_mail
from backend.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class GoogleUser:
    """A user according to Google. `email` is None unless Google has verified it."""

    subject: str
    email: str | None
    name: str


def open_account(session: Session, settings: Settings, google_user: GoogleUser, request_id: str) -> User:
    """Return the account of a Google user. The first sign-in links or creates it.

    Raises GoogleFailed, GoogleUnverified, GoogleConflict, AccountDisabled, RegistrationClosed.
    """
    user = _find_account(session, google_user, request_id)
    if user is None:
        try:
            with session.begin_nested():
                return _create_account(session, settings, google_user)
        except IntegrityError:
            # A concurrent request has created it.
            user = _find_account(session, google_user, request_id)
    if user is None:
        raise GoogleFailed
    return user


def _find_account(session: Session, google_user: GoogleUser, request_id: str) -> User | None:
    # Locked, so that a concurrent "end all sessions" does not miss the session of this sign-in.
    known = select(User).where(User.google_subject == google_user.subject)
    user = session.scalar(known.with_for_update(read=True))
    if user is None and google_user.email is None:
        raise GoogleUnverified
    if user is None:
        # Locked, so that only one of two Google accounts with this address is linked.
        user = session.scalar(select(User).where(User.email == google_user.email).with_for_update(key_share=True))
    if user is None:
        return None
    if user.disabled_at is not None or user.deleted_at is not None:
        raise AccountDisabled
    if user.google_subject != google_user.subject:
        _link(session, user, google_user, request_id)
    return user


def _link(session: Session, user: User, google_user: GoogleUser, request_id: str) -> None:
    """Link an account to a Google identity with the same address, and notify its owner by mail.

    Raises GoogleConflict when our copy of the address is unverified: an attacker may have created the account with
    somebody else's address, and would then share it with the owner. Also when the account is linked to another Google
    identity, because addresses change owners.
    """
    if user.email_verified_at is None or user.google_subject is not None:
        raise GoogleConflict
    user.google_subject = google_user.subject
    queue_mail(
        session,
        event=f"google-linked:{new_id().hex}",
        recipient=user.email,
        template="google_linked",
        context={"name": user.name},
        request_id=request_id,
    )
    log.info("google_linked", user_id=str(user.id))


def _create_account(session: Session, settings: Settings, google_user: GoogleUser) -> User:
    if not settings.ENABLE_REGISTRATION:
        raise RegistrationClosed
    user = User(
        email=google_user.email, name=google_user.name, google_subject=google_user.subject, email_verified_at=utc_now()
    )
    session.add(user)
    return user
