"""What can be done with accounts: sign up, log in, change."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.accounts.errors import AccountDisabled, EmailTaken, RegistrationClosed, WrongCredentials, WrongPassword
from backend.accounts.links import forget_links, send_verification, tell_password_changed
from backend.accounts.models import User
from backend.accounts.passwords import hash_password, verify_password
from backend.accounts.sessions import Device, Tokens, end_sessions, start_session, usable
from backend.errors import Unauthorized
from backend.settings import Settings


def sign_up(session: Session, settings: Settings, *, email: str, password: str, name: str, request_id: str) -> User:
    """Make an account, and mail its address a link to verify it. Raises RegistrationClosed, EmailTaken."""
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
    """Start a session. Raises AccountDisabled; WrongCredentials, after the same work for unknown accounts."""
    wanted = select(User).where(User.email == email, User.deleted_at.is_(None))
    # Locked, so that what ends all sessions comes before or after: else it would miss the one that begins meanwhile.
    user = session.scalar(wanted.with_for_update(read=True))
    if not verify_password(password, user.password_hash if user else None) or user is None:
        raise WrongCredentials
    if user.disabled_at is not None:
        raise AccountDisabled
    return user, start_session(session, settings, user, device)


def get_user(session: Session, user_id: UUID) -> User:
    """Return an account. Raises Unauthorized when it is gone though its token still lives."""
    user = session.get(User, user_id)
    if user is None or user.deleted_at is not None:
        raise Unauthorized
    return user


def update_account(session: Session, user_id: UUID, *, name: str | None, mail_when_finished: bool | None) -> User:
    """Change what is given. Raises Unauthorized."""
    user = get_user(session, user_id)
    if name is not None:
        user.name = name
    if mail_when_finished is not None:
        user.mail_when_finished = mail_when_finished
    return user


def change_password(
    session: Session, user_id: UUID, session_id: UUID, *, current: str | None, new: str, request_id: str
) -> None:
    """Set a new password, end all other sessions, and tell the owner by mail. Raises WrongPassword, Unauthorized."""
    user = get_user(session, user_id)
    check_password(user, current)
    user.password_hash = hash_password(new)
    end_sessions(session, user_id, but=session_id)
    forget_links(session, user_id)
    tell_password_changed(session, user, request_id)


def check_password(user: User, password: str | None) -> None:
    """Raise WrongPassword unless the password is right; accounts without one have nothing to show."""
    if user.password_hash is not None and not verify_password(password or "", user.password_hash):
        raise WrongPassword


def find_person_to_mail(session: Session, user_id: UUID) -> User | None:
    """Return the account when its owner wants mails about finished jobs, at an address that is theirs."""
    wanted = (User.mail_when_finished, User.email_verified_at.is_not(None))
    return session.scalar(select(User).where(User.id == user_id, *wanted, *usable()))
