"""The table of the audit log."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.infra.db import Base, UtcDateTime, new_id, utc_now


class Action(StrEnum):
    """The kind of change. The values are stable, because operators search logs and tables for them."""

    DISABLE_USER = "user.disable"
    ENABLE_USER = "user.enable"
    END_SESSIONS = "user.end_sessions"
    SET_QUOTAS = "user.set_quotas"
    CREATE_ADMIN = "admin.create"
    GRANT_ADMIN = "admin.grant"
    REVOKE_ADMIN = "admin.revoke"
    REPLAY_JOBS = "jobs.replay"


class AuditEntry(Base):
    """One change by an admin. Never updated.

    Entries outlive the accounts they name: `target_id` is no foreign key, and `admin_email` stays when the admin's
    account is deleted.
    """

    __tablename__ = "audit_log"
    # Ids are UUIDv7, so these indexes serve the list of one account's entries, newest first.
    __table_args__ = (
        Index("ix_audit_log_admin_id_id", "admin_id", "id"),
        Index("ix_audit_log_target_id_id", "target_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    # None: an operator at the command line, or a deleted account.
    admin_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    admin_email: Mapped[str] = mapped_column(String(254))
    action: Mapped[str] = mapped_column(String(40))
    target_type: Mapped[str] = mapped_column(String(20))
    target_id: Mapped[UUID | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)
    address: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
