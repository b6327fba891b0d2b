"""Tables of accounts: users, sessions, mailed tokens and exports."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.infra.db import Base, UtcDateTime, new_id, utc_now


class User(Base):
    """`email` is stored in lower case, so that each address has one account."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    # None for users who have only signed in with Google.
    password_hash: Mapped[str | None] = mapped_column(String(255))
    google_subject: Mapped[str | None] = mapped_column(String(255), unique=True)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    mail_when_finished: Mapped[bool] = mapped_column(default=False, server_default=false())
    is_admin: Mapped[bool] = mapped_column(default=False, server_default=false())
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Set when the owner deletes the account. A task then deletes its files, its jobs and this row.
    deleted_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)
    # None: the setting's default applies.
    quota_jobs_running: Mapped[int | None]
    quota_jobs_per_day: Mapped[int | None]
    quota_bytes: Mapped[int | None] = mapped_column(BigInteger)
    # Start of the 24 hours in which `jobs_counted` jobs were created.
    jobs_counted_from: Mapped[datetime | None] = mapped_column(UtcDateTime)
    jobs_counted: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)


class LoginSession(Base):
    """One signed-in device. Refresh tokens rotate. Stores SHA-256 hashes of the last two tokens and their family."""

    __tablename__ = "sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    refresh_token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    previous_token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    # None for sessions from before this column existed, until they rotate their token.
    family_hash: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    rotated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    user_agent: Mapped[str | None] = mapped_column(String(255))
    address: Mapped[str | None] = mapped_column(String(45))


class AccountToken(Base):
    """A mailed secret that proves once that its reader owns the address. Only its SHA-256 is stored."""

    __tablename__ = "account_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(20))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    new_email: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Export(Base):
    __tablename__ = "exports"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(10))
    size: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
