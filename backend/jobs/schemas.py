"""Request and response schemas of the jobs API."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from backend.infra.rows import Page
from backend.jobs.failures import MESSAGES, UNKNOWN_FAILURE
from backend.jobs.models import JobStatus
from backend.jobs.recipe import Recipe
from backend.text import strip_unprintable

MAX_FILENAME = 255


def clean_filename(name: str) -> str:
    """Return a name that is safe to display and to send in a header: no folders, no control characters."""
    name = strip_unprintable(name).replace("\\", "/").rsplit("/", 1)[-1].strip(" .")
    # The database's limit is in characters, a file system's in bytes.
    name = name.encode(errors="ignore")[:MAX_FILENAME].decode(errors="ignore")
    return name or "file"


class UploadIn(BaseModel):
    """The file to upload; `size` is in bytes."""

    filename: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(clean_filename)]
    content_type: Annotated[str, StringConstraints(max_length=100, to_lower=True)]
    size: Annotated[int, Field(ge=1)]


class UploadOut(BaseModel):
    """The request that sends the file: send `method` to `url` with exactly these `headers`."""

    upload_id: UUID
    method: str
    url: str
    headers: dict[str, str]
    expires_at: datetime


class JobIn(BaseModel):
    upload_id: UUID
    recipe: Recipe


class OriginalOut(BaseModel):
    """The uploaded file. A worker sets `facts` when it opens the file."""

    filename: str
    content_type: str
    size: int
    facts: dict[str, Any]


class ResultOut(BaseModel):
    """One result file; `url` redirects to a signed download."""

    name: str
    label: str
    content_type: str
    size: int
    facts: dict[str, Any]
    url: str


class FailureOut(BaseModel):
    """Why a job failed: a stable code and a message for users."""

    code: str
    message: str


class JobOut(BaseModel):
    id: UUID
    status: JobStatus
    progress: Annotated[int, Field(ge=0, le=100)]
    recipe: Recipe
    original: OriginalOut
    results: list[ResultOut]
    failure: FailureOut | None
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None


class JobPage(BaseModel):
    """A keyset page, newest first; pass `next_cursor` as `cursor` for the next."""

    items: list[JobOut]
    next_cursor: str | None


def job_document(row: Any) -> dict[str, Any]:
    """Return a JobOut as a dict, from a Job or from a row of `listing`."""
    return {
        "id": row.id,
        "status": row.status,
        "progress": row.progress,
        "recipe": _json(row.recipe),
        "original": {
            "filename": row.filename,
            "content_type": row.content_type,
            "size": row.size,
            "facts": _json(row.facts),
        },
        "results": _json(row.results),
        "failure": failure_document(row.failure_code, row.failure_message) if row.failure_code else None,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "expires_at": row.expires_at,
    }


def result_document(
    job_id: UUID, name: str, *, label: str, content_type: str, size: int, facts: dict[str, Any]
) -> dict[str, Any]:
    """Return a ResultOut as a dict. Rows store it in this form, so that a list can copy the JSON unparsed."""
    url = f"/api/jobs/{job_id}/results/{name}"
    return {"name": name, "label": label, "content_type": content_type, "size": size, "facts": facts, "url": url}


def failure_document(code: str, message: str | None) -> dict[str, str]:
    """Return a FailureOut as a dict. Without the pipeline's `message`, it has the application's message."""
    return {"code": code, "message": message or MESSAGES.get(code, UNKNOWN_FAILURE)}


def _json(value: Any) -> Any:
    """Wrap JSON text for orjson, which copies it into the response. `listing` reads these columns as text."""
    return orjson.Fragment(value) if isinstance(value, str) else value


def dump_job(row: Any) -> bytes:
    return orjson.dumps(job_document(row), option=orjson.OPT_UTC_Z)


def dump_page(page: Page) -> bytes:
    document = {"items": [job_document(row) for row in page.rows], "next_cursor": page.next_cursor}
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)
