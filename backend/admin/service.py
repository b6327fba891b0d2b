"""Operations of admins on accounts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select, update
from sqlalchemy.orm import Session

from backend.accounts.models import LoginSession, User
from backend.accounts.sessions import end_sessions as end_sessions_of
from backend.admin.audit import Actor, record
from backend.admin.errors import OwnAccount, UserNotFound
from backend.admin.models import Action
from backend.infra.db import utc_now
from backend.infra.rows import fetch_page
from backend.jobs.models import Job
from backend.jobs.quotas import stored_bytes

COUNTED_JOBS = 10_000
USER = "user"

# Quota name to column of User.
QUOTAS = {"jobs_running": "quota_jobs_running", "jobs_per_day": "quota_jobs_per_day", "bytes": "quota_bytes"}


@dataclass(frozen=True, slots=True)
class UserSummary:
    """An account (a User or a row of its columns) and its usage."""

    user: Any
    jobs: int
    last_seen_at: datetime | None
    bytes_stored: int


def list_users(
    session: Session, *, limit: int, cursor: UUID | None, search: str | None
) -> tuple[list[UserSummary], str | None]:
    """Return a page of accounts and its next cursor. `search` matches any part of an address or a name, in any case.

    A search reads every account: 0.3 s for a million. Searches are rare, so there is no trigram index.
    """
    wanted: list[ColumnElement[bool]] = [User.deleted_at.is_(None)]
    if search:
        wanted.append(or_(User.email.icontains(search, autoescape=True), User.name.icontains(search, autoescape=True)))
    page = fetch_page(session, select(*User.__table__.columns).where(*wanted), User.id, limit=limit, cursor=cursor)
    return _summarise(session, page.rows), page.next_cursor


def get_user(session: Session, user_id: UUID) -> UserSummary:
    """Return an account. Raises UserNotFound."""
    return _summarise(session, [_get(session, user_id)])[0]


def disable_user(session: Session, admin: Actor, user_id: UUID) -> None:
    """Disable an account and sign out its devices. Raises UserNotFound, OwnAccount."""
    if user_id == admin.user_id:
        raise OwnAccount
    if _change(session, user_id, [User.disabled_at.is_(None)], disabled_at=utc_now()):
        end_sessions_of(session, user_id)
        record(session, admin, Action.DISABLE_USER, USER, user_id)


def enable_user(session: Session, admin: Actor, user_id: UUID) -> None:
    """Enable a disabled account. Raises UserNotFound."""
    if _change(session, user_id, [User.disabled_at.is_not(None)], disabled_at=None):
        record(session, admin, Action.ENABLE_USER, USER, user_id)


def end_sessions(session: Session, admin: Actor, user_id: UUID) -> None:
    """Sign out all devices of an account. Raises UserNotFound."""
    # Locked, so that this also ends the session of a concurrent log-in.
    _get(session, user_id, for_update=True)
    end_sessions_of(session, user_id)
    record(session, admin, Action.END_SESSIONS, USER, user_id)


def set_quotas(session: Session, admin: Actor, user_id: UUID, quotas: dict[str, int | None]) -> None:
    """Set an account's own quotas. None restores the default. Raises UserNotFound."""
    user = _get(session, user_id, for_update=True)
    changes = {}
    for name, value in quotas.items():
        before = getattr(user, QUOTAS[name])
        if before != value:
            setattr(user, QUOTAS[name], value)
            changes[name] = {"from": before, "to": value}
    if changes:
        record(session, admin, Action.SET_QUOTAS, USER, user_id, **changes)


def _get(session: Session, user_id: UUID, *, for_update: bool = False) -> User:
    wanted = select(User).where(User.id == user_id, User.deleted_at.is_(None))
    user = session.scalar(wanted.with_for_update(key_share=True) if for_update else wanted)
    if user is None:
        raise UserNotFound
    return user


def _change(session: Session, user_id: UUID, conditions: list[ColumnElement[bool]], **values: object) -> bool:
    """Return whether something changed. If not, there is nothing to record. Raises UserNotFound."""
    changed = update(User).where(User.id == user_id, User.deleted_at.is_(None), *conditions).values(**values)
    if session.scalar(changed.returning(User.id)) is not None:
        return True
    _get(session, user_id)
    return False


def _summarise(session: Session, users: list[Any]) -> list[UserSummary]:
    # Separate queries: inside the first query, the database would compute these for every account, not for one page.
    wanted = User.id.in_([user.id for user in users])
    figures = session.execute(select(User.id, _jobs(), _last_seen()).where(wanted))
    found = {user_id: (jobs, seen) for user_id, jobs, seen in figures}
    return [
        UserSummary(user, *found[user.id], bytes_stored=stored_bytes(session, user.id))
        for user in users
        if user.id in found
    ]


def _jobs() -> ScalarSelect[int]:
    counted = select(Job.id).where(Job.user_id == User.id, Job.deleted_at.is_(None)).limit(COUNTED_JOBS).correlate(User)
    return select(func.count()).select_from(counted.subquery()).correlate(User).scalar_subquery()


def _last_seen() -> ScalarSelect[datetime]:
    return select(func.max(LoginSession.rotated_at)).where(LoginSession.user_id == User.id).scalar_subquery()
