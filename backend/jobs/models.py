"""Tables of jobs: signed uploads, and the jobs created from them."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.infra.db import Base, UtcDateTime, new_id, utc_now

STOPPED = text("status IN ('failed', 'cancelled')")
DEAD = text("status = 'failed' AND failure_code = 'worker_lost'")


# Only `transitions` changes a job's status.
class JobStatus(StrEnum):
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Upload(Base):
    """A file that a user may send, or has sent, to object storage under `key`."""

    __tablename__ = "uploads"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    key: Mapped[str] = mapped_column(String(255))
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Job(Base):
    """One file, one recipe, and the state of its processing.

    `attempts` counts every start and never decreases, so that no two attempts share a results key. The job fails
    when it reaches `attempt_limit`. The process that has `lease_token` holds the lease.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        # Ids are UUIDv7, so this index serves both the list, newest first, and its cursor.
        Index("ix_jobs_user_id_id", "user_id", "id"),
        Index(
            "ix_jobs_unfinished",
            "status",
            "sent_at",
            postgresql_where=text("status IN ('queued', 'processing')"),
            sqlite_where=text("status IN ('queued', 'processing')"),
        ),
        # For admins: queries for a few of millions of jobs must not scan the table.
        Index("ix_jobs_stopped", "status", "id", postgresql_where=STOPPED, sqlite_where=STOPPED),
        Index("ix_jobs_dead_letters", "id", postgresql_where=DEAD, sqlite_where=DEAD),
        Index("ix_jobs_expires_at", "expires_at"),
        Index(
            "ix_jobs_deleted_at",
            "deleted_at",
            postgresql_where=text("deleted_at IS NOT NULL"),
            sqlite_where=text("deleted_at IS NOT NULL"),
        ),
        {"info": {"retired_columns": ("preset", "enhance", "watermark", "width", "height")}},
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    upload_id: Mapped[UUID] = mapped_column(ForeignKey("uploads.id"), unique=True)
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    request_id: Mapped[str] = mapped_column(String(64))

    status: Mapped[str] = mapped_column(String(10), default=JobStatus.QUEUED)
    progress: Mapped[int] = mapped_column(default=0)
    # A `recipe.Recipe`. This and `facts` are nullable until migration 0005 is contracted.
    recipe: Mapped[dict[str, Any]] = mapped_column(JSON, nullable=True)

    original_key: Mapped[str] = mapped_column(String(255))
    filename: Mapped[str] = mapped_column(String(255))
    content_type: Mapped[str] = mapped_column(String(100))
    size: Mapped[int] = mapped_column(BigInteger)
    # The pipeline's facts about the original, such as its width and height.
    facts: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, nullable=True)
    results: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    # The sum of the results' bytes. Summing the JSON of thousands of jobs is too slow for a quota check.
    results_size: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    failure_code: Mapped[str | None] = mapped_column(String(40))
    # The pipeline's message. The application's messages are in `failures`.
    failure_message: Mapped[str | None] = mapped_column(String(500))

    attempts: Mapped[int] = mapped_column(default=0)
    attempt_limit: Mapped[int]
    sent_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    lease_token: Mapped[UUID | None]
    lease_expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
