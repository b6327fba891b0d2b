"""The record of what admins did."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, or_, select
from sqlalchemy.orm import Session

from backend.accounts.models import User
from backend.admin.models import Action, AuditEntry


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: an admin and the request he makes, or an operator at the command line."""

    user_id: UUID | None
    email: str
    address: str | None = None
    request_id: str | None = None


COMMAND_LINE = Actor(None, "command line")


def record(
    session: Session,
    actor: Actor,
    action: Action,
    target_type: str,
    target_id: UUID | None = None,
    **detail: Any,
) -> None:
    """Note a change in its own transaction: both are kept, or neither."""
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


def list_entries(
    session: Session, *, limit: int, before: UUID | None, user_id: UUID | None
) -> list[Row[AuditEntry, str | None]]:
    """Return entries and their targets' addresses, newest first; of one user those he made and those about him."""
    wanted: list[ColumnElement[bool]] = []
    if before is not None:
        wanted.append(AuditEntry.id < before)
    if user_id is not None:
        wanted.append(or_(AuditEntry.admin_id == user_id, AuditEntry.target_id == user_id))
    entries = select(AuditEntry, User.email).outerjoin(User, User.id == AuditEntry.target_id)
    return list(session.execute(entries.where(*wanted).order_by(AuditEntry.id.desc()).limit(limit)))
