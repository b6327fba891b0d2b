"""The errors the API answers with."""

from typing import Any


class RefusalError(Exception):
    """An answer that is an error: a status with the OpenAPI document's `error`."""

    def __init__(self, status: int, id: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"id": id, "message": message, "request_id": "4851a473-1621-42ea-b2f9-5071c0ea8414"}


def not_found() -> RefusalError:
    """Return the answer about what is not there."""
    return RefusalError(404, "not_found", "The resource you were accessing could not be found.")


def unauthorized() -> RefusalError:
    """Return the answer to a token that is wrong or has run out."""
    return RefusalError(401, "unauthorized", "Unable to authenticate you")


def bad_request(message: str) -> RefusalError:
    """Return the answer to a request that can't be met."""
    return RefusalError(400, "bad_request", message)


def pinned() -> RefusalError:
    """Return the answer to a deployment of a pinned app; that there is none is documented, the status is not."""
    return RefusalError(409, "conflict", "the app is pinned to a rollback deployment; commit or revert it first")
