"""Which account a Google identity opens, or makes."""

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
class Person:
    """Who Google says is there; `email` is None unless Google has verified it."""

    subject: str
    email: str | None
    name: str


def open_account(session: Session, settings: Settings, person: Person, request_id: str) -> User:
    """Return the account a person may use; it is linked, or made, when this is their first time.

    Raises GoogleFailed, GoogleUnverified, GoogleConflict, AccountDisabled, RegistrationClosed.
    """
    user = _find_account(session, person, request_id)
    if user is None:
        try:
            with session.begin_nested():
                return _make_account(session, settings, person)
        except IntegrityError:
            # Another request made it meanwhile.
            user = _find_account(session, person, request_id)
    if user is None:
        raise GoogleFailed
    return user


def _find_account(session: Session, person: Person, request_id: str) -> User | None:
    # Locked, so that what ends all sessions comes before or after this sign-in: else it would miss the one that begins.
    known = select(User).where(User.google_subject == person.subject)
    user = session.scalar(known.with_for_update(read=True))
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
        _link(session, user, person, request_id)
    return user


def _link(session: Session, user: User, person: Person, request_id: str) -> None:
    """Link an account to a Google identity with the same address, and mail its owner that it has another way in.

    Not while our own copy of the address is unverified: whoever made the account may not own the address, and would
    keep a password to what its owner then does. Nor when another Google identity is linked: addresses change hands.
    """
    if user.email_verified_at is None or user.google_subject is not None:
        raise GoogleConflict
    user.google_subject = person.subject
    queue_mail(
        session,
        event=f"google-linked:{new_id().hex}",
        recipient=user.email,
        template="google_linked",
        context={"name": user.name},
        request_id=request_id,
    )
    log.info("google_linked", user_id=str(user.id))


def _make_account(session: Session, settings: Settings, person: Person) -> User:
    if not settings.ENABLE_REGISTRATION:
        raise RegistrationClosed
    user = User(email=person.email, name=person.name, google_subject=person.subject, email_verified_at=utc_now())
    session.add(user)
    return user
