"""Mailed links: each proves once, for a limited time, that its reader owns an address."""

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.errors import EmailTaken, InvalidMailToken
from backend.accounts.models import AccountToken, User
from backend.accounts.passwords import hash_password
from backend.accounts.sessions import end_sessions, usable
from backend.accounts.tokens import create_secret, hash_secret
from backend.infra.db import new_id, utc_now
from backend.mails.service import count_mails, queue_mail
from backend.settings import Settings


class Purpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"


LIFETIMES = {
    Purpose.VERIFY_EMAIL: timedelta(days=2),
    Purpose.CHANGE_EMAIL: timedelta(hours=2),
    Purpose.RESET_PASSWORD: timedelta(minutes=30),
}
PAGES = {
    Purpose.VERIFY_EMAIL: "/verify",
    Purpose.CHANGE_EMAIL: "/confirm-email",
    Purpose.RESET_PASSWORD: "/reset-password",
}
# The first mail may still be on its way. Also, anyone can request a mail to any address.
MIN_INTERVAL = timedelta(minutes=2)
# Per address, from all accounts together. Otherwise attackers could fill the owner's inbox.
MAILS_PER_HOUR = 5


def send_verification(session: Session, settings: Settings, user: User, request_id: str) -> None:
    """Mail a link that verifies the account's address. Earlier links stop working."""
    locked = _lock(session, User.id == user.id)
    if locked is not None and locked.email_verified_at is None:
        _send_link(session, settings, locked, Purpose.VERIFY_EMAIL, request_id)


def request_password_reset(session: Session, settings: Settings, email: str, request_id: str) -> None:
    """Mail a link that sets a new password, if the address has an account. The caller can't see whether it has."""
    user = _lock(session, User.email == email)
    if user is not None:
        _send_link(session, settings, user, Purpose.RESET_PASSWORD, request_id)


def request_email_change(session: Session, settings: Settings, user_id: UUID, email: str, request_id: str) -> None:
    """Mail a link that changes the address when the user opens it. Sends nothing if the address is taken."""
    user = _lock(session, User.id == user_id)
    if user is not None and not session.scalar(select(exists().where(User.email == email))):
        _send_link(session, settings, user, Purpose.CHANGE_EMAIL, request_id, new_email=email)


def confirm_address(session: Session, token: str, request_id: str) -> None:
    """Verify an address, or change to it and notify the old one.

    Raises InvalidMailToken, EmailTaken.
    """
    user, new_email = _use_token(session, token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
    user.email_verified_at = utc_now()
    if new_email is not None:
        _change_address(session, user, new_email, request_id)


def reset_password(session: Session, token: str, password: str, request_id: str) -> None:
    """Set a new password with a mailed link. This ends every session and verifies the address.

    Raises InvalidMailToken.
    """
    user, _new_email = _use_token(session, token, Purpose.RESET_PASSWORD)
    user.password_hash = hash_password(password)
    user.email_verified_at = user.email_verified_at or utc_now()
    end_sessions(session, user.id)
    delete_links(session, user.id)
    notify_password_changed(session, user, request_id)


def notify_password_changed(session: Session, user: User, request_id: str) -> None:
    """Mail the owner that the password changed, in case somebody else changed it."""
    _notify(session, user, "password_changed", request_id)


def delete_links(session: Session, user_id: UUID) -> None:
    """Delete a user's unused links. Otherwise an attacker who can read old mails could undo the change."""
    session.execute(delete(AccountToken).where(AccountToken.user_id == user_id, AccountToken.used_at.is_(None)))


def delete_old_tokens(session: Session) -> None:
    session.execute(delete(AccountToken).where(AccountToken.expires_at < utc_now()))


def _lock(session: Session, wanted: ColumnElement[bool]) -> User | None:
    """Return the current row of a usable account, locked, so that concurrent requests run one after the other."""
    locked = select(User).where(wanted, *usable()).with_for_update(key_share=True)
    return session.scalar(locked, execution_options={"populate_existing": True})


def _send_link(
    session: Session,
    settings: Settings,
    user: User,
    purpose: Purpose,
    request_id: str,
    *,
    new_email: str | None = None,
) -> None:
    recipient = new_email or user.email
    same = (AccountToken.user_id == user.id, AccountToken.purpose == purpose)
    if _is_limited(session, purpose, recipient, *same, AccountToken.new_email == new_email):
        return
    session.execute(delete(AccountToken).where(*same))
    secret, token_id = create_secret(), new_id()
    session.add(
        AccountToken(
            id=token_id,
            user_id=user.id,
            purpose=purpose,
            token_hash=hash_secret(secret),
            new_email=new_email,
            expires_at=utc_now() + LIFETIMES[purpose],
        )
    )
    # Browsers don't send what follows the #, so the secret is in no server's log and in no Referer.
    link = f"{settings.PUBLIC_URL}{PAGES[purpose]}#token={secret}"
    queue_mail(
        session,
        event=f"{purpose}:{token_id.hex}",
        recipient=recipient,
        template=purpose,
        context={"name": user.name, "link": link},
        request_id=request_id,
    )


def _is_limited(session: Session, purpose: Purpose, recipient: str, *same: ColumnElement[bool]) -> bool:
    now = utc_now()
    unused = (AccountToken.used_at.is_(None), AccountToken.created_at > now - MIN_INTERVAL)
    if session.scalar(select(exists().where(*same, *unused))):
        return True
    # Not for resets: an attacker could use up the limit and lock the owner out.
    if purpose is Purpose.RESET_PASSWORD:
        return False
    return count_mails(session, recipient, since=now - timedelta(hours=1)) >= MAILS_PER_HOUR


def _change_address(session: Session, user: User, email: str, request_id: str) -> None:
    _notify(session, user, "email_changed", request_id)
    user.email = email
    try:
        session.flush()
    except IntegrityError as error:
        raise EmailTaken from error
    delete_links(session, user.id)


def _notify(session: Session, user: User, template: str, request_id: str) -> None:
    queue_mail(
        session,
        event=f"{template}:{new_id().hex}",
        recipient=user.email,
        template=template,
        context={"name": user.name},
        request_id=request_id,
    )


def _use_token(session: Session, token: str, *purposes: Purpose) -> tuple[User, str | None]:
    """Mark a link as used, and return its user and new address. Works once. Raises InvalidMailToken.

    The user is locked before the link, as in all other functions. This prevents deadlocks.
    """
    wanted = (AccountToken.token_hash == hash_secret(token), AccountToken.purpose.in_(purposes))
    owner = select(AccountToken.user_id).where(*wanted).scalar_subquery()
    user = _lock(session, User.id == owner)
    unused = (AccountToken.used_at.is_(None), AccountToken.expires_at > utc_now())
    used = session.execute(
        update(AccountToken).where(*wanted, *unused).values(used_at=utc_now()).returning(AccountToken.new_email),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    if user is None or used is None:
        raise InvalidMailToken
    return user, used.new_email
