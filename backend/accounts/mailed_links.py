"""Links that are mailed: each proves once that its reader owns an address, for a short while."""

from datetime import timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.errors import EmailTaken, InvalidMailToken
from backend.accounts.models import AccountToken, User
from backend.accounts.passwords import hash_password
from backend.accounts.sessions import end_sessions
from backend.accounts.tokens import create_refresh_token, hash_refresh_token
from backend.infra.db import new_id, utc_now
from backend.mails.service import queue_mail
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


def send_verification(session: Session, settings: Settings, user: User, request_id: str) -> None:
    """Mail a link that verifies the account's address; earlier ones stop working."""
    if user.email_verified_at is None:
        _send_link(session, settings, user, Purpose.VERIFY_EMAIL, user.email, request_id)


def request_password_reset(session: Session, settings: Settings, email: str, request_id: str) -> None:
    """Mail a link that sets a new password, when the address has an account; nobody is told whether it has."""
    user = session.scalar(
        select(User).where(User.email == email, User.disabled_at.is_(None), User.deleted_at.is_(None))
    )
    if user is not None:
        _send_link(session, settings, user, Purpose.RESET_PASSWORD, user.email, request_id)


def request_email_change(session: Session, settings: Settings, user: User, email: str, request_id: str) -> None:
    """Mail a link to the new address; the old one stays until that is followed. Taken addresses are not told."""
    if session.scalar(select(User.id).where(User.email == email)) is None:
        _send_link(session, settings, user, Purpose.CHANGE_EMAIL, email, request_id)


def confirm_address(session: Session, token: str) -> None:
    """Follow a link that verifies an address or changes to it. Raises InvalidMailToken, EmailTaken."""
    used = _use(session, token, Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL)
    user = session.get_one(User, used.user_id)
    if used.new_email is not None:
        user.email = used.new_email
    user.email_verified_at = utc_now()
    try:
        session.flush()
    except IntegrityError as error:
        raise EmailTaken from error


def reset_password(session: Session, token: str, password: str, request_id: str) -> None:
    """Follow a link that sets a new password: every session ends, and the address counts as verified.

    Raises InvalidMailToken.
    """
    used = _use(session, token, Purpose.RESET_PASSWORD)
    user = session.get_one(User, used.user_id)
    user.password_hash = hash_password(password)
    user.email_verified_at = user.email_verified_at or utc_now()
    end_sessions(session, user.id)
    tell_password_changed(session, user, request_id)


def tell_password_changed(session: Session, user: User, request_id: str) -> None:
    """Mail the owner that the password is a new one, in case it was somebody else's doing."""
    queue_mail(
        session,
        event=f"password-changed:{new_id().hex}",
        recipient=user.email,
        template="password_changed",
        context={"name": user.name},
        request_id=request_id,
    )


def delete_old_tokens(session: Session) -> None:
    """Forget links past their time."""
    session.execute(delete(AccountToken).where(AccountToken.expires_at < utc_now()))


def _send_link(
    session: Session, settings: Settings, user: User, purpose: Purpose, recipient: str, request_id: str
) -> None:
    session.execute(delete(AccountToken).where(AccountToken.user_id == user.id, AccountToken.purpose == purpose))
    secret, token_id = create_refresh_token(), new_id()
    session.add(
        AccountToken(
            id=token_id,
            user_id=user.id,
            purpose=purpose,
            token_hash=hash_refresh_token(secret),
            new_email=recipient if purpose is Purpose.CHANGE_EMAIL else None,
            expires_at=utc_now() + LIFETIMES[purpose],
        )
    )
    queue_mail(
        session,
        event=f"{purpose}:{token_id.hex}",
        recipient=recipient,
        template=purpose,
        # After a #, which browsers keep to themselves: the secret reaches no server's log and no Referer.
        context={"name": user.name, "link": f"{settings.PUBLIC_URL}{PAGES[purpose]}#token={secret}"},
        request_id=request_id,
    )


def _use(session: Session, token: str, *purposes: Purpose) -> AccountToken:
    """Take a link, once: of two that try, one gets it. Raises InvalidMailToken."""
    usable = (
        AccountToken.token_hash == hash_refresh_token(token),
        AccountToken.purpose.in_(purposes),
        AccountToken.used_at.is_(None),
        AccountToken.expires_at > utc_now(),
        AccountToken.user_id.in_(select(User.id).where(User.disabled_at.is_(None), User.deleted_at.is_(None))),
    )
    statement = update(AccountToken).where(*usable).values(used_at=utc_now()).returning(AccountToken)
    used = session.scalar(statement, execution_options={"synchronize_session": False})
    if used is None:
        raise InvalidMailToken
    return used
