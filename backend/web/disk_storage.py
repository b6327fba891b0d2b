"""HTTP routes of disk storage, for development only. In production a bucket serves the signed URLs."""

from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse

from backend.errors import Forbidden, InvalidInput, NotFound
from backend.infra.storage.disk import URL_PREFIX, DiskStorage, Grant, InvalidSignature


class UploadRefused(InvalidInput):
    """The body does not match the signed upload."""

    code = "upload_refused"


def storage_router(storage: DiskStorage) -> APIRouter:
    """Return the routes that serve the signed URLs of `storage`."""
    router = APIRouter(prefix=URL_PREFIX.rstrip("/"), include_in_schema=False)

    @router.put("/{key:path}")
    async def put_object(key: str, request: Request) -> Response:
        grant = _verify(storage, "PUT", key, request)
        if request.headers.get("content-type", "") != grant.content_type:
            raise UploadRefused(f"The Content-Type must be {grant.content_type}.")
        await _store(storage.path(key), request.stream(), grant)
        return Response(status_code=200)

    @router.get("/{key:path}")
    def get_object(key: str, request: Request) -> FileResponse:
        grant = _verify(storage, "GET", key, request)
        path = storage.path(key)
        if not path.is_file():
            raise NotFound
        disposition = f"attachment; filename*=UTF-8''{quote(grant.filename, safe='')}"
        return FileResponse(path, media_type=grant.content_type, headers={"Content-Disposition": disposition})

    return router


def _verify(storage: DiskStorage, method: str, key: str, request: Request) -> Grant:
    try:
        return storage.verify(method, key, request.url.query)
    except (InvalidSignature, ValueError) as error:
        raise Forbidden("This storage link is invalid or has expired.") from error


async def _store(target: Path, chunks: AsyncIterator[bytes], grant: Grant) -> None:
    """Write the body to a temporary file, and rename it to `target` only if its size is the signed one."""
    await run_in_threadpool(target.parent.mkdir, parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{uuid4().hex}.part")
    received = 0
    try:
        with part.open("wb") as file:
            async for chunk in chunks:
                received += len(chunk)
                if received > grant.size:
                    break
                await run_in_threadpool(file.write, chunk)
        if received != grant.size:
            raise UploadRefused(f"The file must have exactly {grant.size} bytes.")
        await run_in_threadpool(part.replace, target)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
