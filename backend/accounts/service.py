"""What can be done with accounts and sessions."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.errors import EmailTaken, RegistrationClosed, SessionEnded, WrongCredentials
from backend.accounts.models import LoginSession, User
from backend.accounts.passwords import hash_password, verify_password
from backend.accounts.tokens import Identity, create_access_token, create_refresh_token, hash_refresh_token
from backend.errors import Unauthorized
from backend.infra.db import transaction, utc_now
from backend.settings import Settings

log = structlog.get_logger(__name__)

# Two tabs may refresh at the same moment; the second arrives with the token the first just replaced.
REFRESH_GRACE = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a signed-in device keeps."""

    access_token: str
    refresh_token: str | None


def sign_up(session: Session, settings: Settings, *, email: str, password: str, name: str) -> User:
    """Make an account. Raises RegistrationClosed, EmailTaken."""
    if not settings.ENABLE_REGISTRATION:
        raise RegistrationClosed
    user = User(email=email, name=name, password_hash=hash_password(password))
    try:
        with session.begin_nested():
            session.add(user)
    except IntegrityError as error:
        raise EmailTaken from error
    return user


def log_in(session: Session, settings: Settings, *, email: str, password: str) -> tuple[User, Tokens]:
    """Start a session. Raises WrongCredentials, after the same work whether the account exists or not."""
    user = session.scalar(select(User).where(User.email == email))
    if not verify_password(password, user.password_hash if user else None) or user is None:
        raise WrongCredentials
    refresh_token = create_refresh_token()
    login = LoginSession(
        user_id=user.id,
        refresh_token_hash=hash_refresh_token(refresh_token),
        expires_at=utc_now() + timedelta(days=settings.REFRESH_TOKEN_EXPIRE_DAYS),
    )
    session.add(login)
    session.flush()
    return user, Tokens(create_access_token(Identity(user.id, login.id), settings), refresh_token)


def refresh_session(sessions: sessionmaker[Session], settings: Settings, refresh_token: str) -> Tokens:
    """Exchange a refresh token for a new pair.

    A token used a second time ends its session, for one of its two holders stole it; within
    REFRESH_GRACE it is a second tab, which gets an access token and keeps the newer refresh token.
    Takes the factory, since ending a session must be committed though the caller is refused.
    Raises SessionEnded.
    """
    with transaction(sessions) as session:
        tokens = _rotate(session, settings, hash_refresh_token(refresh_token))
    if tokens is None:
        raise SessionEnded
    return tokens


def log_out(session: Session, refresh_token: str) -> None:
    """End the session a refresh token belongs to; an unknown token is fine, the aim is reached."""
    session.execute(delete(LoginSession).where(LoginSession.refresh_token_hash == hash_refresh_token(refresh_token)))


def get_user(session: Session, user_id: UUID) -> User:
    """Return an account. Raises Unauthorized when it is gone though its token still lives."""
    user = session.get(User, user_id)
    if user is None:
        raise Unauthorized
    return user


def _rotate(session: Session, settings: Settings, presented: str) -> Tokens | None:
    replacement = create_refresh_token()
    now = utc_now()
    rotated = session.execute(
        update(LoginSession)
        .where(LoginSession.refresh_token_hash == presented, LoginSession.expires_at > now)
        .values(
            refresh_token_hash=hash_refresh_token(replacement),
            previous_token_hash=presented,
            rotated_at=now,
            expires_at=now + timedelta(days=settings.REFRESH_TOKEN_EXPIRE_DAYS),
        )
        .returning(LoginSession.id, LoginSession.user_id)
    ).one_or_none()
    if rotated is None:
        return _second_use(session, settings, presented)
    return Tokens(create_access_token(Identity(rotated.user_id, rotated.id), settings), replacement)


def _second_use(session: Session, settings: Settings, presented: str) -> Tokens | None:
    used = session.scalar(select(LoginSession).where(LoginSession.previous_token_hash == presented))
    if used is None or used.expires_at < utc_now():
        return None
    if utc_now() - used.rotated_at > REFRESH_GRACE:
        log.warning("refresh_reused", session_id=str(used.id), user_id=str(used.user_id))
        session.delete(used)
        return None
    return Tokens(create_access_token(Identity(used.user_id, used.id), settings), None)
