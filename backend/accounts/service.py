"""Operations on accounts: sign up, log in, change."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.errors import AccountDisabled, EmailTaken, RegistrationClosed, WrongCredentials, WrongPassword
from backend.accounts.links import delete_links, notify_password_changed, send_verification
from backend.accounts.models import User
from backend.accounts.passwords import hash_password, verify_password
from backend.accounts.sessions import Device, Tokens, end_sessions, start_session, usable
from backend.errors import Unauthorized
from backend.settings import Settings


def sign_up(session: Session, settings: Settings, *, email: str, password: str, name: str, request_id: str) -> User:
    """Create an account, and mail a link that verifies its address. Raises RegistrationClosed, EmailTaken."""
    if not settings.ENABLE_REGISTRATION:
        raise RegistrationClosed
    user = User(email=email, name=name, password_hash=hash_password(password))
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise EmailTaken from error
    send_verification(session, settings, user, request_id)
    return user


def log_in(session: Session, settings: Settings, *, email: str, password: str, device: Device) -> tuple[User, Tokens]:
    """Start a session. Raises AccountDisabled, WrongCredentials.

    The password check takes as long for an unknown account as for a known one.
    """
    wanted = select(User).where(User.email == email, User.deleted_at.is_(None))
    # Locked, so that a concurrent "end all sessions" does not miss the session that starts here.
    user = session.scalar(wanted.with_for_update(read=True))
    if not verify_password(password, user.password_hash if user else None) or user is None:
        raise WrongCredentials
    if user.disabled_at is not None:
        raise AccountDisabled
    return user, start_session(session, settings, user, device)


def get_user(session: Session, user_id: UUID) -> User:
    """Return an account. Raises Unauthorized when the account was deleted but its token is still valid."""
    user = session.get(User, user_id)
    if user is None or user.deleted_at is not None:
        raise Unauthorized
    return user


def update_account(session: Session, user_id: UUID, *, name: str | None, mail_when_finished: bool | None) -> User:
    """Change the fields that are not None. Raises Unauthorized."""
    user = get_user(session, user_id)
    if name is not None:
        user.name = name
    if mail_when_finished is not None:
        user.mail_when_finished = mail_when_finished
    return user


def change_password(
    session: Session, user_id: UUID, session_id: UUID, *, current: str | None, new: str, request_id: str
) -> None:
    """Set a new password, end all other sessions, and notify the owner. Raises WrongPassword, Unauthorized."""
    user = get_user(session, user_id)
    check_password(user, current)
    user.password_hash = hash_password(new)
    end_sessions(session, user_id, but=session_id)
    delete_links(session, user_id)
    notify_password_changed(session, user, request_id)


def check_password(user: User, password: str | None) -> None:
    """Raise WrongPassword if the password is wrong. Accounts without a password pass."""
    if user.password_hash is not None and not verify_password(password or "", user.password_hash):
        raise WrongPassword


def find_user_to_mail(session: Session, user_id: UUID) -> User | None:
    """Return the user if they want mails about finished jobs and their address is verified."""
    wanted = (User.mail_when_finished, User.email_verified_at.is_not(None))
    return session.scalar(select(User).where(User.id == user_id, *wanted, *usable()))
