"""The API's errors."""

from typing import Any


class ApiError(Exception):
    """An error response: a status with the OpenAPI document's `error`."""

    def __init__(self, status: int, id: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"id": id, "message": message, "request_id": "4851a473-1621-42ea-b2f9-5071c0ea8414"}


def not_found() -> ApiError:
    return ApiError(404, "not_found", "The resource you were accessing could not be found.")


def unauthorized() -> ApiError:
    return ApiError(401, "unauthorized", "Unable to authenticate you")


def bad_request(message: str) -> ApiError:
    return ApiError(400, "bad_request", message)


def pinned() -> ApiError:
    """A pinned app refuses deployments; that is documented, the status is not."""
    return ApiError(409, "conflict", "the app is pinned to a rollback deployment; commit or revert it first")
