"""The error tree. A domain error carries its HTTP status and a stable code; routes never build answers for it."""

from typing import ClassVar


class AppError(Exception):
    """Something the caller should be told. `detail` is a sentence for people, `code` is for programs."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    detail: str = "Something went wrong on our side."
    retry_after: int | None = None

    def __init__(self, detail: str | None = None, *, errors: list[dict[str, str]] | None = None) -> None:
        self.detail = detail or self.detail
        self.errors = errors or []
        super().__init__(self.detail)


class InvalidInput(AppError):
    """The request was understood and can't be accepted."""

    status = 422
    code = "invalid_input"
    detail = "The request has errors."


class Unauthorized(AppError):
    """Nobody is signed in."""

    status = 401
    code = "not_authenticated"
    detail = "Sign in first."


class Forbidden(AppError):
    """The caller is known and may not do this."""

    status = 403
    code = "forbidden"
    detail = "You may not do this."


class NotFound(AppError):
    """The thing does not exist, or is not the caller's to know about."""

    status = 404
    code = "not_found"
    detail = "There is nothing here."


class Conflict(AppError):
    """The thing's state does not allow this."""

    status = 409
    code = "conflict"
    detail = "The current state does not allow this."


class TooLarge(AppError):
    """The body is larger than this route accepts."""

    status = 413
    code = "body_too_large"
    detail = "The request's body is too large."


class RateLimited(AppError):
    """The caller asks more often than a limit allows."""

    status = 429
    code = "rate_limited"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests. Try again in {retry_after} s.")
        self.retry_after = retry_after


class Unavailable(AppError):
    """A system we depend on is away; the same request may succeed later."""

    status = 503
    code = "unavailable"
    detail = "A part of the service is away. Try again in a moment."
    retry_after = 5
