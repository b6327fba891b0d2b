"""Error classes. Each has an HTTP status and a stable code; exception handlers create the responses."""

from typing import ClassVar


class AppError(Exception):
    """An error that is returned to the caller. `detail` is a sentence for users, `code` is for programs."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    detail: str = "Something went wrong on our side."
    retry_after: int | None = None

    def __init__(self, detail: str | None = None, *, errors: list[dict[str, str]] | None = None) -> None:
        self.detail = detail or self.detail
        self.errors = errors or []
        super().__init__(self.detail)


class InvalidInput(AppError):
    """The request is well-formed but invalid."""

    status = 422
    code = "invalid_input"
    detail = "The request has errors."


class Unauthorized(AppError):
    """The caller is not signed in."""

    status = 401
    code = "not_authenticated"
    detail = "Sign in first."


class Forbidden(AppError):
    """The caller has no permission."""

    status = 403
    code = "forbidden"
    detail = "You do not have permission to do this."


class NotFound(AppError):
    """The resource does not exist, or belongs to another user."""

    status = 404
    code = "not_found"
    detail = "Not found."


class Conflict(AppError):
    """The current state does not allow this."""

    status = 409
    code = "conflict"
    detail = "The current state does not allow this."


class TooLarge(AppError):
    status = 413
    code = "body_too_large"
    detail = "The request body is too large."


class RateLimited(AppError):
    """The caller exceeded a rate limit."""

    status = 429
    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after} s.")
        self.retry_after = retry_after


class Unavailable(AppError):
    """An external system is unavailable. The same request may succeed later."""

    status = 503
    code = "unavailable"
    detail = "Part of the service is unavailable. Try again in a moment."
    retry_after = 5
