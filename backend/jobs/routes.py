"""Routes of uploads and jobs."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.dependencies import ActiveUser, CurrentUser
from backend.jobs import events, service
from backend.jobs.listing import list_jobs as list_jobs_of
from backend.jobs.models import Job
from backend.jobs.schemas import JobIn, JobOut, JobPage, UploadIn, UploadOut, dump_job, dump_page
from backend.jobs.uploads import create_upload as sign_upload
from backend.web.dependencies import ReadSessionDep, ReadSessionsDep, SessionDep, SettingsDep, StorageDep, SubscriberDep
from backend.web.problems import problems, request_id_of

router = APIRouter(prefix="/api", tags=["jobs"])

SNAPSHOT_JOBS = 20

IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=255)]


@router.post("/uploads", status_code=201, responses=problems(401, 409, 413, 422))
def create_upload(
    body: UploadIn, user: ActiveUser, session: SessionDep, storage: StorageDep, settings: SettingsDep
) -> UploadOut:
    """Create an upload. Returns the request that sends one file to storage."""
    upload, signed = sign_upload(session, storage, settings, user.user_id, body)
    return UploadOut(
        upload_id=upload.id,
        method=signed.method,
        url=signed.url,
        headers=signed.headers,
        expires_at=upload.expires_at,
    )


@router.post("/jobs", status_code=202, response_model=JobOut, responses=problems(401, 404, 409, 413, 422))
def create_job(
    request: Request,
    body: JobIn,
    user: ActiveUser,
    session: SessionDep,
    storage: StorageDep,
    settings: SettingsDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Queue a job for an uploaded file. A repeated Idempotency-Key returns the same job."""
    job = service.create_job(
        session,
        storage,
        settings,
        user_id=user.user_id,
        wanted=body,
        idempotency_key=idempotency_key,
        request_id=request_id_of(request),
    )
    return _job_response(job, 202)


@router.get("/jobs", response_model=JobPage, responses=problems(401, 422))
def list_jobs(
    user: CurrentUser,
    read_sessions: ReadSessionsDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: UUID | None = None,
) -> Response:
    """List the user's jobs, newest first."""
    # Closed here and not in a dependency, so that the connection is free before the response is sent.
    with read_sessions() as session:
        page = list_jobs_of(session, user.user_id, limit=limit, cursor=cursor)
    return Response(dump_page(page), media_type="application/json")


@router.get("/jobs/events", response_class=EventSourceResponse, responses=problems(401))
async def stream_events(
    user: CurrentUser, subscriber: SubscriberDep, read_sessions: ReadSessionsDep
) -> AsyncIterator[ServerSentEvent]:
    """Stream `job` events (a JobOut) and `job-deleted` events (an id): first recent jobs, then changes."""

    async def snapshot() -> list[bytes]:
        return await run_in_threadpool(_snapshot, read_sessions, user.user_id)

    async for name, document in events.stream(subscriber, user.user_id, snapshot, until=user.expires_at):
        yield ServerSentEvent(event=name, raw_data=document)


@router.get("/jobs/{job_id}", response_model=JobOut, responses=problems(401, 404, 422))
def read_job(job_id: UUID, user: CurrentUser, session: ReadSessionDep) -> Response:
    """Return one job."""
    return _job_response(service.get_job(session, user.user_id, job_id))


@router.post("/jobs/{job_id}/cancel", response_model=JobOut, responses=problems(401, 404, 409, 422))
def cancel_job(job_id: UUID, user: ActiveUser, session: SessionDep, settings: SettingsDep) -> Response:
    """Cancel a queued or processing job."""
    return _job_response(service.cancel_job(session, settings, user.user_id, job_id))


@router.post("/jobs/{job_id}/retry", status_code=202, response_model=JobOut, responses=problems(401, 404, 409, 422))
def retry_job(job_id: UUID, user: ActiveUser, session: SessionDep, settings: SettingsDep) -> Response:
    """Retry a failed or cancelled job."""
    return _job_response(service.retry_job(session, settings, user.user_id, job_id), 202)


@router.delete("/jobs/{job_id}", status_code=204, responses=problems(401, 404, 422))
def delete_job(job_id: UUID, user: ActiveUser, session: SessionDep) -> None:
    """Delete a job, its file and its results."""
    service.delete_job(session, user.user_id, job_id)


@router.get(
    "/jobs/{job_id}/results/{name}",
    status_code=302,
    response_class=RedirectResponse,
    responses=problems(401, 404, 422),
)
def download_result(
    job_id: UUID, name: str, user: CurrentUser, session: ReadSessionDep, storage: StorageDep
) -> RedirectResponse:
    """Redirect to a signed download of one result."""
    return RedirectResponse(service.sign_result(session, storage, user.user_id, job_id, name), 302)


def _job_response(job: Job, status: int = 200) -> Response:
    return Response(dump_job(job), status, media_type="application/json")


def _snapshot(read_sessions: sessionmaker[Session], user_id: UUID) -> list[bytes]:
    with read_sessions() as session:
        page = list_jobs_of(session, user_id, limit=SNAPSHOT_JOBS)
    return [dump_job(row) for row in reversed(page.rows)]
