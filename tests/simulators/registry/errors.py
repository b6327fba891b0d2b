"""A registry's errors: a code of the specification, its status and its JSON form."""

from typing import Any

from starlette.responses import JSONResponse, Response

CODES = {
    "BLOB_UNKNOWN": (404, "blob unknown to registry"),
    "BLOB_UPLOAD_UNKNOWN": (404, "blob upload unknown to registry"),
    "DIGEST_INVALID": (400, "provided digest did not match uploaded content"),
    "MANIFEST_BLOB_UNKNOWN": (400, "blob unknown to registry"),
    "MANIFEST_INVALID": (400, "manifest invalid"),
    "MANIFEST_UNKNOWN": (404, "manifest unknown"),
    "NAME_UNKNOWN": (404, "repository name not known to registry"),
    "PAGINATION_NUMBER_INVALID": (400, "invalid number of results requested"),
    "UNAUTHORIZED": (401, "authentication required"),
    "DENIED": (403, "requested access to the resource is denied"),
    "UNSUPPORTED": (405, "The operation is unsupported."),
    "TOOMANYREQUESTS": (429, "too many requests"),
    "UNAVAILABLE": (503, "service unavailable"),
    "UNKNOWN": (500, "unknown error"),
}


class Json(JSONResponse):
    """JSON with a charset, as registries send it; clients must accept it."""

    media_type = "application/json; charset=utf-8"


class RegistryError(Exception):
    """An error response; `details` has one entry for each error in it."""

    def __init__(self, code: str, *details: Any, headers: dict[str, str] | None = None) -> None:
        super().__init__(code)
        self.code, self.details, self.headers = code, details or (None,), headers or {}

    def response(self) -> Response:
        status, message = CODES[self.code]
        return error_response(self.code, status, message, *self.details, headers=self.headers)


def error_response(
    code: str, status: int, message: str, *details: Any, headers: dict[str, str] | None = None
) -> Response:
    """Return errors in the specification's format: a list, because one request can have several."""
    errors = [{"code": code, "message": message, "detail": detail} for detail in details]
    return Json({"errors": errors}, status, headers)
