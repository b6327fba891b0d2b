"""Routes of administration, for admins only."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from backend.admin import audit, jobs, service
from backend.admin.dependencies import AdminUser, get_admin
from backend.admin.schemas import (
    AdminJobOut,
    AdminJobPage,
    AdminUserOut,
    AdminUserPage,
    AuditOut,
    AuditPage,
    QueueOut,
    QuotasIn,
    ReplayIn,
    ReplayOut,
    admin_job_document,
    dump,
    dump_admin_page,
    queue_out,
    user_out,
)
from backend.jobs import queue_figures
from backend.jobs.models import JobStatus
from backend.text import Storable
from backend.web.dependencies import QueueDep, ReadSessionDep, SessionDep, SessionsDep, SettingsDep
from backend.web.problems import problems

router = APIRouter(prefix="/api/admin", tags=["admin"], dependencies=[Depends(get_admin)])

Limit = Annotated[int, Query(ge=1, le=100)]
Search = Annotated[str | None, Query(max_length=254), Storable]


@router.get("/users", responses=problems(401, 403, 422))
def list_users(
    session: ReadSessionDep,
    settings: SettingsDep,
    search: Search = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> AdminUserPage:
    """List accounts, newest first. `search` matches any part of an address or a name."""
    users, next_cursor = service.list_users(session, limit=limit, cursor=cursor, search=search)
    return AdminUserPage(items=[user_out(user, settings) for user in users], next_cursor=next_cursor)


@router.get("/users/{user_id}", responses=problems(401, 403, 404, 422))
def read_user(user_id: UUID, session: ReadSessionDep, settings: SettingsDep) -> AdminUserOut:
    """Return one account."""
    return user_out(service.get_user(session, user_id), settings)


@router.post("/users/{user_id}/disable", responses=problems(401, 403, 404, 409, 422))
def disable_user(user_id: UUID, admin: AdminUser, session: SessionDep, settings: SettingsDep) -> AdminUserOut:
    """Disable an account and sign out its devices."""
    service.disable_user(session, admin, user_id)
    return user_out(service.get_user(session, user_id), settings)


@router.post("/users/{user_id}/enable", responses=problems(401, 403, 404, 422))
def enable_user(user_id: UUID, admin: AdminUser, session: SessionDep, settings: SettingsDep) -> AdminUserOut:
    """Enable a disabled account."""
    service.enable_user(session, admin, user_id)
    return user_out(service.get_user(session, user_id), settings)


@router.post("/users/{user_id}/end-sessions", responses=problems(401, 403, 404, 422))
def end_sessions(user_id: UUID, admin: AdminUser, session: SessionDep, settings: SettingsDep) -> AdminUserOut:
    """Sign out all devices of an account."""
    service.end_sessions(session, admin, user_id)
    return user_out(service.get_user(session, user_id), settings)


@router.patch("/users/{user_id}/quotas", responses=problems(401, 403, 404, 413, 422))
def set_quotas(
    user_id: UUID, body: QuotasIn, admin: AdminUser, session: SessionDep, settings: SettingsDep
) -> AdminUserOut:
    """Set an account's own quotas. null restores the default."""
    service.set_quotas(session, admin, user_id, body.model_dump(exclude_unset=True))
    return user_out(service.get_user(session, user_id), settings)


@router.get("/jobs", response_model=AdminJobPage, responses=problems(401, 403, 422))
def list_jobs(
    session: ReadSessionDep,
    status: JobStatus | None = None,
    user_id: UUID | None = None,
    cursor: UUID | None = None,
    limit: Limit = 50,
) -> Response:
    """List all users' jobs, newest first."""
    page = jobs.list_jobs(session, limit=limit, cursor=cursor, status=status, user_id=user_id)
    return Response(dump_admin_page(page), media_type="application/json")


@router.get("/jobs/{job_id}", response_model=AdminJobOut, responses=problems(401, 403, 404, 422))
def read_job(job_id: UUID, session: ReadSessionDep) -> Response:
    """Return a job of any user."""
    return Response(dump(admin_job_document(jobs.get_job(session, job_id))), media_type="application/json")


@router.get("/queue", responses=problems(401, 403))
def read_queue(session: ReadSessionDep, queue: QueueDep) -> QueueOut:
    """Return the state of the queue. While Valkey is unavailable, only the database's numbers."""
    return queue_out(queue_figures.read_queue(session, queue))


@router.get("/dead-letters", response_model=AdminJobPage, responses=problems(401, 403, 422))
def list_dead_letters(session: ReadSessionDep, cursor: UUID | None = None, limit: Limit = 50) -> Response:
    """List jobs that failed because they lost their worker too often, newest first."""
    page = jobs.list_jobs(session, limit=limit, cursor=cursor, dead=True)
    return Response(dump_admin_page(page), media_type="application/json")


@router.post("/dead-letters/replay", responses=problems(401, 403, 413, 422))
def replay_dead_letters(body: ReplayIn, admin: AdminUser, sessions: SessionsDep) -> ReplayOut:
    """Queue dead letters again: those in `job_ids`, or all when it is null."""
    replayed = jobs.replay_dead_letters(sessions, admin, body.job_ids)
    skipped = [job_id for job_id in body.job_ids or [] if job_id not in set(replayed)]
    return ReplayOut(replayed=replayed, skipped=skipped)


@router.get("/audit", responses=problems(401, 403, 422))
def list_audit(
    session: ReadSessionDep, user_id: UUID | None = None, cursor: UUID | None = None, limit: Limit = 50
) -> AuditPage:
    """List changes by admins, newest first. With `user_id`: changes by and about this user."""
    page = audit.list_entries(session, limit=limit, cursor=cursor, user_id=user_id)
    return AuditPage(items=[AuditOut.model_validate(row) for row in page.rows], next_cursor=page.next_cursor)
