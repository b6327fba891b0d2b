"""Links that are mailed: each proves once that its reader owns an address, for a short while."""

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
    """What a link is for; it works for nothing else."""

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
# Whoever asks again sooner has the mail under way; and anybody can ask for anybody.
PAUSE = timedelta(minutes=2)
# To an address that is nobody's yet, whoever wants it; more would let strangers fill its owner's inbox.
MAILS_AN_HOUR = 5


def send_verification(session: Session, settings: Settings, user: User, request_id: str) -> None:
    """Mail a link that verifies the account's address; earlier ones stop working."""
    locked = _lock(session, User.id == user.id)
    if locked is not None and locked.email_verified_at is None:
        _send_link(session, settings, locked, Purpose.VERIFY_EMAIL, request_id)


def request_password_reset(session: Session, settings: Settings, email: str, request_id: str) -> None:
    """Mail a link that sets a new password, when the address has an account; nobody is told whether it has."""
    user = _lock(session, User.email == email)
    if user is not None:
        _send_link(session, settings, user, Purpose.RESET_PASSWORD, request_id)


def request_email_change(session: Session, settings: Settings, user_id: UUID, email: str, request_id: str) -> None:
    """Mail a link to the new address; the old one stays until that is followed. Taken addresses are not told."""
    user = _lock(session, User.id == user_id)
    if user is not None and not session.scalar(select(exists().where(User.email == email))):
        _send_link(session, settings, user, Purpose.CHANGE_EMAIL, request_id, new_email=email)


def confirm_address(session: Session, token: str, request_id: str) -> None:
    """Follow a link that verifies an address, or changes to it and tells the old one.

    Raises InvalidMailToken, EmailTaken.
    """
    user, new_email = _use(session, token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
    user.email_verified_at = utc_now()
    if new_email is not None:
        _change_address(session, user, new_email, request_id)


def reset_password(session: Session, token: str, password: str, request_id: str) -> None:
    """Follow a link that sets a new password: every session ends, and the address counts as verified.

    Raises InvalidMailToken.
    """
    user, _new_email = _use(session, token, Purpose.RESET_PASSWORD)
    user.password_hash = hash_password(password)
    user.email_verified_at = user.email_verified_at or utc_now()
    end_sessions(session, user.id)
    forget_links(session, user.id)
    tell_password_changed(session, user, request_id)


def tell_password_changed(session: Session, user: User, request_id: str) -> None:
    """Mail the owner that the password is a new one, in case it was somebody else's doing."""
    _tell(session, user, "password_changed", request_id)


def forget_links(session: Session, user_id: UUID) -> None:
    """Let none of a user's links work any more: who reads the old mails may be who the change is to keep out."""
    session.execute(delete(AccountToken).where(AccountToken.user_id == user_id, AccountToken.used_at.is_(None)))


def delete_old_tokens(session: Session) -> None:
    """Forget links past their time."""
    session.execute(delete(AccountToken).where(AccountToken.expires_at < utc_now()))


def _lock(session: Session, wanted: ColumnElement[bool]) -> User | None:
    """Return a usable account as it is now: of several who ask for a link at once, or change it, one is first."""
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
    if _is_enough(session, purpose, recipient, *same, AccountToken.new_email == new_email):
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
    # After a #, which browsers keep to themselves: the secret reaches no server's log and no Referer.
    link = f"{settings.PUBLIC_URL}{PAGES[purpose]}#token={secret}"
    queue_mail(
        session,
        event=f"{purpose}:{token_id.hex}",
        recipient=recipient,
        template=purpose,
        context={"name": user.name, "link": link},
        request_id=request_id,
    )


def _is_enough(session: Session, purpose: Purpose, recipient: str, *same: ColumnElement[bool]) -> bool:
    now = utc_now()
    unused = (AccountToken.used_at.is_(None), AccountToken.created_at > now - PAUSE)
    if session.scalar(select(exists().where(*same, *unused))):
        return True
    # Not for resets: strangers who use the hour up would keep an owner from getting back in.
    if purpose is Purpose.RESET_PASSWORD:
        return False
    return count_mails(session, recipient, since=now - timedelta(hours=1)) >= MAILS_AN_HOUR


def _change_address(session: Session, user: User, email: str, request_id: str) -> None:
    _tell(session, user, "email_changed", request_id)
    user.email = email
    try:
        session.flush()
    except IntegrityError as error:
        raise EmailTaken from error
    forget_links(session, user.id)


def _tell(session: Session, user: User, template: str, request_id: str) -> None:
    queue_mail(
        session,
        event=f"{template}:{new_id().hex}",
        recipient=user.email,
        template=template,
        context={"name": user.name},
        request_id=request_id,
    )


def _use(session: Session, token: str, *purposes: Purpose) -> tuple[User, str | None]:
    """Take a link, once, of two that try one gets it; return its user and new address. Raises InvalidMailToken.

    The user is locked before the link, as everywhere: the other way round two could wait for each other.
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
