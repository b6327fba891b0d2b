"""Sessions: signed-in devices, their rotating refresh tokens, and how they end."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, delete, exists, or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.errors import SessionEnded, SessionNotFound
from backend.accounts.models import LoginSession, User
from backend.accounts.tokens import (
    Identity,
    create_access_token,
    create_refresh_token,
    family_of,
    hash_secret,
)
from backend.infra.db import transaction, utc_now
from backend.settings import Settings
from backend.text import strip_unprintable

log = structlog.get_logger(__name__)

# Two tabs may refresh at the same moment; the second arrives with the token the first just replaced.
REFRESH_GRACE = timedelta(seconds=20)
MAX_USER_AGENT = 255
MAX_ADDRESS = 45
MAX_LISTED = 100


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a signed-in device keeps; without a new refresh token it goes on with the one it has."""

    access_token: str
    refresh_token: str | None


@dataclass(frozen=True, slots=True)
class Device:
    """What a request tells of the device it comes from; shown to its owner, and believed for nothing."""

    user_agent: str
    address: str


def start_session(session: Session, settings: Settings, user: User, device: Device) -> Tokens:
    """Sign a device in."""
    refresh_token = create_refresh_token()
    login = LoginSession(
        user_id=user.id,
        refresh_token_hash=hash_secret(refresh_token),
        family_hash=hash_secret(family_of(refresh_token)),
        expires_at=utc_now() + timedelta(days=settings.REFRESH_TOKEN_EXPIRE_DAYS),
        user_agent=strip_unprintable(device.user_agent)[:MAX_USER_AGENT],
        address=device.address[:MAX_ADDRESS],
    )
    session.add(login)
    session.flush()
    return Tokens(create_access_token(Identity(user.id, login.id), settings), refresh_token)


def refresh_session(sessions: sessionmaker[Session], settings: Settings, refresh_token: str) -> Tokens:
    """Exchange a refresh token for a new pair.

    A token used a second time ends its session, however often it was replaced since, for one of its two holders
    stole it; within REFRESH_GRACE the last one is a second tab's, which gets an access token and keeps the newer
    refresh token.
    Takes the factory, since ending a session must be committed though the caller is refused.
    Raises SessionEnded.
    """
    with transaction(sessions) as session:
        tokens = _rotate(session, settings, refresh_token)
    if tokens is None:
        raise SessionEnded
    return tokens


def end_session(session: Session, refresh_token: str) -> None:
    """Sign out the device a refresh token belongs to, though another tab may have replaced it at this moment.

    An unknown token is fine, the aim is reached.
    """
    session.execute(delete(LoginSession).where(_knows(refresh_token)))


def end_session_by_id(session: Session, user_id: UUID, session_id: UUID) -> None:
    """Sign out one of a user's devices. Raises SessionNotFound."""
    owned = (LoginSession.id == session_id, LoginSession.user_id == user_id)
    if session.scalar(delete(LoginSession).where(*owned).returning(LoginSession.id)) is None:
        raise SessionNotFound


def end_sessions(session: Session, user_id: UUID, *, but: UUID | None = None) -> None:
    """Sign out all of a user's devices, except one when `but` names it."""
    ended = delete(LoginSession).where(LoginSession.user_id == user_id)
    session.execute(ended if but is None else ended.where(LoginSession.id != but))


def delete_expired_sessions(session: Session) -> None:
    """Delete the sessions whose refresh token has expired."""
    session.execute(delete(LoginSession).where(LoginSession.expires_at < utc_now()))


def list_sessions(session: Session, user_id: UUID) -> list[LoginSession]:
    """Return a user's signed-in devices, the last seen first, MAX_LISTED at most."""
    alive = (LoginSession.user_id == user_id, LoginSession.expires_at > utc_now())
    newest = select(LoginSession).where(*alive).order_by(LoginSession.rotated_at.desc()).limit(MAX_LISTED)
    return list(session.scalars(newest))


def is_active(session: Session, identity: Identity) -> bool:
    """Whether an identity may still write: its session was not ended, its account not disabled or deleted."""
    login = select(LoginSession.id).join(User).where(LoginSession.id == identity.session_id, *usable())
    return session.scalar(select(exists(login))) is True


def usable() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of an account that may be used."""
    return (User.disabled_at.is_(None), User.deleted_at.is_(None))


def _rotate(session: Session, settings: Settings, presented: str) -> Tokens | None:
    family = family_of(presented)
    replacement = create_refresh_token(family)
    now = utc_now()
    usable_accounts = select(User.id).where(*usable())
    rotated = session.execute(
        update(LoginSession)
        .where(
            LoginSession.refresh_token_hash == hash_secret(presented),
            LoginSession.expires_at > now,
            LoginSession.user_id.in_(usable_accounts),
        )
        .values(
            refresh_token_hash=hash_secret(replacement),
            previous_token_hash=hash_secret(presented),
            family_hash=hash_secret(family),
            rotated_at=now,
            expires_at=now + timedelta(days=settings.REFRESH_TOKEN_EXPIRE_DAYS),
        )
        .returning(LoginSession.id, LoginSession.user_id),
        execution_options={"synchronize_session": False},
    ).one_or_none()
    if rotated is None:
        return _second_use(session, settings, presented)
    return Tokens(create_access_token(Identity(rotated.user_id, rotated.id), settings), replacement)


def _second_use(session: Session, settings: Settings, presented: str) -> Tokens | None:
    used = session.scalar(select(LoginSession).join(User).where(_knows(presented), *usable()))
    now = utc_now()
    if used is None or used.expires_at <= now:
        return None
    if used.previous_token_hash == hash_secret(presented) and now - used.rotated_at <= REFRESH_GRACE:
        return Tokens(create_access_token(Identity(used.user_id, used.id), settings), None)
    log.warning("refresh_reused", session_id=str(used.id), user_id=str(used.user_id))
    session.execute(delete(LoginSession).where(LoginSession.id == used.id))
    return None


def _knows(refresh_token: str) -> ColumnElement[bool]:
    """Return the condition of the session that a token is, or was, one of."""
    presented = hash_secret(refresh_token)
    return or_(
        LoginSession.refresh_token_hash == presented,
        LoginSession.previous_token_hash == presented,
        LoginSession.family_hash == hash_secret(family_of(refresh_token)),
    )
