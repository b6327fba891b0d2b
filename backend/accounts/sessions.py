"""Sessions: signed-in devices and their rotating refresh tokens."""

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

# Two tabs may refresh at the same time. The second then sends the token that the first has just replaced.
REFRESH_GRACE = timedelta(seconds=20)
MAX_USER_AGENT = 255
MAX_ADDRESS = 45
MAX_LISTED = 100


@dataclass(frozen=True, slots=True)
class Tokens:
    """A device's tokens. When `refresh_token` is None, the device keeps its current one."""

    access_token: str
    refresh_token: str | None


@dataclass(frozen=True, slots=True)
class Device:
    """What a request says about its device. Displayed to the owner, never trusted."""

    user_agent: str
    address: str


def start_session(session: Session, settings: Settings, user: User, device: Device) -> Tokens:
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
    """Exchange a refresh token for a new pair. Raises SessionEnded.

    A reused token ends its session, however often it was replaced, because one of its two holders stole it. Exception:
    within REFRESH_GRACE, the previous token comes from a second tab. That tab gets an access token only.
    Accepts the session factory, because the end of a session must be committed although the request is refused.
    """
    with transaction(sessions) as session:
        tokens = _rotate(session, settings, refresh_token)
    if tokens is None:
        raise SessionEnded
    return tokens


def end_session(session: Session, refresh_token: str) -> None:
    """Sign out the device of a refresh token, even if another tab has just replaced it. Ignores unknown tokens."""
    session.execute(delete(LoginSession).where(_belongs_to(refresh_token)))


def end_session_by_id(session: Session, user_id: UUID, session_id: UUID) -> None:
    """Sign out one of a user's devices. Raises SessionNotFound."""
    owned = (LoginSession.id == session_id, LoginSession.user_id == user_id)
    if session.scalar(delete(LoginSession).where(*owned).returning(LoginSession.id)) is None:
        raise SessionNotFound


def end_sessions(session: Session, user_id: UUID, *, but: UUID | None = None) -> None:
    """Sign out all of a user's devices, except the session `but`."""
    ended = delete(LoginSession).where(LoginSession.user_id == user_id)
    session.execute(ended if but is None else ended.where(LoginSession.id != but))


def delete_expired_sessions(session: Session) -> None:
    session.execute(delete(LoginSession).where(LoginSession.expires_at < utc_now()))


def list_sessions(session: Session, user_id: UUID) -> list[LoginSession]:
    alive = (LoginSession.user_id == user_id, LoginSession.expires_at > utc_now())
    newest = select(LoginSession).where(*alive).order_by(LoginSession.rotated_at.desc()).limit(MAX_LISTED)
    return list(session.scalars(newest))


def is_active(session: Session, identity: Identity) -> bool:
    """Whether this identity may write: its session has not ended, and its account is not disabled or deleted."""
    login = select(LoginSession.id).join(User).where(LoginSession.id == identity.session_id, *usable())
    return session.scalar(select(exists(login))) is True


def usable() -> tuple[ColumnElement[bool], ...]:
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
        return _reuse(session, settings, presented)
    return Tokens(create_access_token(Identity(rotated.user_id, rotated.id), settings), replacement)


def _reuse(session: Session, settings: Settings, presented: str) -> Tokens | None:
    used = session.scalar(select(LoginSession).join(User).where(_belongs_to(presented), *usable()))
    now = utc_now()
    if used is None or used.expires_at <= now:
        return None
    if used.previous_token_hash == hash_secret(presented) and now - used.rotated_at <= REFRESH_GRACE:
        return Tokens(create_access_token(Identity(used.user_id, used.id), settings), None)
    log.warning("refresh_token_reused", session_id=str(used.id), user_id=str(used.user_id))
    session.execute(delete(LoginSession).where(LoginSession.id == used.id))
    return None


def _belongs_to(refresh_token: str) -> ColumnElement[bool]:
    presented = hash_secret(refresh_token)
    return or_(
        LoginSession.refresh_token_hash == presented,
        LoginSession.previous_token_hash == presented,
        LoginSession.family_hash == hash_secret(family_of(refresh_token)),
    )
