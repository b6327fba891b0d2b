"""The audit log: a record of each change by an admin."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from backend.accounts.models import User
from backend.admin.models import Action, AuditEntry
from backend.infra.rows import Page, fetch_page


@dataclass(frozen=True, slots=True)
class Actor:
    """The author of a change: an admin with the request, or an operator at the command line."""

    user_id: UUID | None
    email: str
    address: str | None = None
    request_id: str | None = None


COMMAND_LINE = Actor(None, "command line")

_ENTRIES = select(*AuditEntry.__table__.columns, User.email.label("target_email")).outerjoin(
    User, User.id == AuditEntry.target_id
)


def record(
    session: Session,
    actor: Actor,
    action: Action,
    target_type: str,
    target_id: UUID | None = None,
    **detail: Any,
) -> None:
    """Add an audit entry in the change's own transaction, so that both are committed or neither."""
    session.add(
        AuditEntry(
            admin_id=actor.user_id,
            admin_email=actor.email,
            action=action,
            target_type=target_type,
            target_id=target_id,
            detail=detail,
            address=actor.address,
            request_id=actor.request_id,
        )
    )


def list_entries(session: Session, *, limit: int, cursor: UUID | None, user_id: UUID | None) -> Page:
    """Return a page of entries with their targets' addresses. With `user_id`: entries by and about this user."""
    wanted: list[ColumnElement[bool]] = []
    if user_id is not None:
        wanted.append(or_(AuditEntry.admin_id == user_id, AuditEntry.target_id == user_id))
    return fetch_page(session, _ENTRIES.where(*wanted), AuditEntry.id, limit=limit, cursor=cursor)
