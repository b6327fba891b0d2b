"""RFC 9457 problem documents: models, exception handlers, and OpenAPI response definitions."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from backend.errors import AppError, InvalidInput, Unavailable
from backend.infra.storage import StorageError

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}


class FieldProblem(BaseModel):
    """An error in one field. `field` is its path, such as `recipe.preset`."""

    field: str
    message: str


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldProblem] | None = None


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` argument of a route that can return problems with these statuses, 429 and 503."""
    return {status: {"description": "Problem", "content": _CONTENT} for status in (*statuses, 429, 503)}


_CONTENT = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def request_id_of(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def install_error_handlers(app: FastAPI) -> None:
    """Add exception handlers that turn every error into a problem document."""
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    for error in (OperationalError, InterfaceError, PoolTimeout, StorageError):
        app.add_exception_handler(error, _external_error)


def respond(request: Request, error: AppError) -> ProblemResponse:
    document = problem(error.status, error.code, error.detail, request_id_of(request), error.errors)
    headers = {"Retry-After": str(error.retry_after)} if error.retry_after else None
    return ProblemResponse(document, error.status, headers)


async def refuse(scope: Scope, receive: Receive, send: Send, error: AppError) -> None:
    """Send the response for a domain error, from within middleware."""
    await respond(Request(scope), error)(scope, receive, send)


def problem(
    status: int, code: str, detail: str, request_id: str, errors: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    """Return an RFC 9457 problem document with `code`, `request_id` and, for fields, `errors`.

    With the type `about:blank` the title must be the status phrase (section 4.2.1).
    """
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    if errors:
        document["errors"] = errors
    return document


async def _app_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, AppError)
    return respond(request, error)


async def _validation_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    # Only paths and messages: the input may contain a password.
    fields = [{"field": _path(item["loc"]), "message": _message(item)} for item in error.errors()]
    return respond(request, InvalidInput(errors=fields))


async def _http_error(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # FastAPI returns 400 for a body that is nested too deep or not UTF-8, and 422 for other invalid bodies.
        return respond(request, InvalidInput("The request body is not valid JSON."))
    code = HTTP_CODES.get(error.status_code, "http_error")
    document = problem(error.status_code, code, error.detail, request_id_of(request))
    return ProblemResponse(document, error.status_code, error.headers)


async def _external_error(request: Request, error: Exception) -> ProblemResponse:
    log.error("external_system_unavailable", error=type(error).__name__, exc_info=error)
    return respond(request, Unavailable())


def _path(location: Any) -> str:
    return ".".join(str(part) for part in location if part not in ("body", "query", "path", "header"))


def _message(item: Any) -> str:
    return str(item["msg"]).removeprefix("Value error, ")
