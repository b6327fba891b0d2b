"""The errors the API answers with."""

from typing import Any


class ApiError(Exception):
    """An answer that is an error: a status with the OpenAPI document's `error`."""

    def __init__(self, status: int, id: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"id": id, "message": message, "request_id": "4851a473-1621-42ea-b2f9-5071c0ea8414"}


def not_found() -> ApiError:
    """Return the answer about what is not there."""
    return ApiError(404, "not_found", "The resource you were accessing could not be found.")


def unauthorized() -> ApiError:
    """Return the answer to a token that is wrong or has run out."""
    return ApiError(401, "unauthorized", "Unable to authenticate you")


def bad_request(message: str) -> ApiError:
    """Return the answer to a request that can't be met."""
    return ApiError(400, "bad_request", message)


def pinned() -> ApiError:
    """Return the answer to a deployment of a pinned app; that there is none is documented, the status is not."""
    return ApiError(409, "conflict", "the app is pinned to a rollback deployment; commit or revert it first")
