"""The mails table."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.infra.db import Base, UtcDateTime, new_id, utc_now

UNSENT = text("status IN ('queued', 'sending')")


class MailStatus(StrEnum):
    """Status of a mail. `uncertain`: the connection broke during the transfer. Such a mail is not sent again."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Mail(Base):
    """One mail to one address. `event` is a unique key, so that each event sends at most one mail."""

    __tablename__ = "mails"
    __table_args__ = (
        Index(
            "ix_mails_unsent",
            "status",
            "send_after",
            postgresql_where=UNSENT,
            sqlite_where=UNSENT,
        ),
        Index("ix_mails_recipient", "recipient", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    event: Mapped[str] = mapped_column(String(100), unique=True)
    recipient: Mapped[str] = mapped_column(String(254))
    template: Mapped[str] = mapped_column(String(40))
    context: Mapped[dict[str, Any]] = mapped_column(JSON)
    request_id: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(10), default=MailStatus.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    send_after: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
