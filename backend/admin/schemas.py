"""Request and response schemas of the admin API."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field

from backend.admin.service import QUOTAS, UserSummary
from backend.infra.rows import Page
from backend.jobs.queue_figures import QueueFigures
from backend.jobs.schemas import JobOut, job_document
from backend.settings import Settings

MAX_NAMED = 500


class Quotas(BaseModel):
    jobs_running: int
    jobs_per_day: int
    bytes: int


class QuotasIn(BaseModel):
    """An account's own quotas. null means the default; omitted fields keep their value."""

    model_config = ConfigDict(extra="forbid")

    jobs_running: Annotated[int | None, Field(ge=0, le=100_000)] = None
    jobs_per_day: Annotated[int | None, Field(ge=0, le=10_000_000)] = None
    bytes: Annotated[int | None, Field(ge=0, le=2**50)] = None


class QuotaOverrides(BaseModel):
    """An account's own quotas. null means the default."""

    jobs_running: int | None
    jobs_per_day: int | None
    bytes: int | None


class QuotasOut(BaseModel):
    """The quotas that apply to an account, and those that an admin set."""

    effective: Quotas
    overridden: QuotaOverrides


class AdminUserOut(BaseModel):
    """An account for admins. `jobs` stops counting at 10,000; `last_seen_at` is null without a session."""

    id: UUID
    email: str
    name: str
    created_at: datetime
    email_verified_at: datetime | None
    is_admin: bool
    disabled_at: datetime | None
    jobs: int
    bytes_stored: int
    quotas: QuotasOut
    last_seen_at: datetime | None


class AdminUserPage(BaseModel):
    """A keyset page, newest first; pass `next_cursor` as `cursor` for the next."""

    items: list[AdminUserOut]
    next_cursor: str | None


class JobOwner(BaseModel):
    id: UUID
    email: str


class AdminJobOut(JobOut):
    """A job for admins, with its owner and the request id that finds it in the logs."""

    user: JobOwner
    request_id: str


class AdminJobPage(BaseModel):
    """A keyset page, newest first; pass `next_cursor` as `cursor` for the next."""

    items: list[AdminJobOut]
    next_cursor: str | None


class QueueOut(BaseModel):
    """The state of the queue. Valkey's numbers are null while it is unavailable; the others are the database's."""

    valkey: Literal["ok", "unavailable"]
    depth: int | None
    unacked: int | None
    workers_alive: int | None
    queued_rows: int
    processing_rows: int
    oldest_queued_seconds: float | None
    dead_letters: int


class ReplayIn(BaseModel):
    """The dead letters to queue again. null means all."""

    model_config = ConfigDict(extra="forbid")

    job_ids: Annotated[list[UUID] | None, Field(min_length=1, max_length=MAX_NAMED)]


class ReplayOut(BaseModel):
    """`replayed` was queued again. `skipped` was in the request but is not a dead letter."""

    replayed: list[UUID]
    skipped: list[UUID]


class AuditOut(BaseModel):
    """One change. `admin_id` is null for an operator at the command line and for a deleted admin account."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    admin_id: UUID | None
    admin_email: str
    action: str
    target_type: str
    target_id: UUID | None
    target_email: str | None
    detail: dict[str, Any]
    address: str | None
    request_id: str | None
    created_at: datetime


class AuditPage(BaseModel):
    """A keyset page, newest first; pass `next_cursor` as `cursor` for the next."""

    items: list[AuditOut]
    next_cursor: str | None


def user_out(summary: UserSummary, settings: Settings) -> AdminUserOut:
    user = summary.user
    overridden = {name: getattr(user, column) for name, column in QUOTAS.items()}
    defaults = {name: getattr(settings, column.upper()) for name, column in QUOTAS.items()}
    effective = {name: defaults[name] if value is None else value for name, value in overridden.items()}
    return AdminUserOut(
        id=user.id,
        email=user.email,
        name=user.name,
        created_at=user.created_at,
        email_verified_at=user.email_verified_at,
        is_admin=user.is_admin,
        disabled_at=user.disabled_at,
        jobs=summary.jobs,
        bytes_stored=summary.bytes_stored,
        quotas=QuotasOut(effective=Quotas(**effective), overridden=QuotaOverrides(**overridden)),
        last_seen_at=summary.last_seen_at,
    )


def queue_out(figures: QueueFigures) -> QueueOut:
    broker = figures.broker
    return QueueOut(
        valkey="ok" if broker else "unavailable",
        depth=broker.depth if broker else None,
        unacked=broker.unacked if broker else None,
        workers_alive=broker.workers if broker else None,
        queued_rows=figures.queued,
        processing_rows=figures.processing,
        oldest_queued_seconds=figures.oldest_seconds,
        dead_letters=figures.dead_letters,
    )


def admin_job_document(row: Any) -> dict[str, Any]:
    """Return an AdminJobOut as a dict, from a row of `jobs.list_jobs`."""
    return job_document(row) | {"user": {"id": row.user_id, "email": row.email}, "request_id": row.request_id}


def dump_admin_page(page: Page) -> bytes:
    return dump({"items": [admin_job_document(row) for row in page.rows], "next_cursor": page.next_cursor})


def dump(document: dict[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)
