"""The session's two cookies: HttpOnly, SameSite=Lax, with a name prefix on HTTPS."""

from starlette.responses import Response

from backend.accounts.sessions import Tokens
from backend.settings import Settings

REFRESH_PATH = "/api/session"


def access_cookie_name(settings: Settings) -> str:
    """Return the name with `__Host-`: browsers reject this cookie from any other host or path."""
    return "__Host-access" if settings.secure_cookies else "access"


def refresh_cookie_name(settings: Settings) -> str:
    """Return the name with `__Secure-`, because `__Host-` does not allow a path."""
    return "__Secure-refresh" if settings.secure_cookies else "refresh"


def set_session_cookies(response: Response, settings: Settings, tokens: Tokens) -> None:
    """Set the cookies of a token pair. Without a new refresh token, the browser keeps its current one."""
    seconds = settings.REFRESH_TOKEN_EXPIRE_DAYS * 86_400
    # The cookie outlives its token. So an expired session differs from a missing one.
    _set(response, settings, access_cookie_name(settings), tokens.access_token, "/", seconds)
    if tokens.refresh_token is not None:
        _set(response, settings, refresh_cookie_name(settings), tokens.refresh_token, REFRESH_PATH, seconds)


def clear_session_cookies(response: Response, settings: Settings) -> None:
    for name, path in ((access_cookie_name(settings), "/"), (refresh_cookie_name(settings), REFRESH_PATH)):
        response.delete_cookie(name, path=path, secure=settings.secure_cookies, httponly=True, samesite="lax")


def _set(response: Response, settings: Settings, name: str, value: str, path: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path=path, secure=settings.secure_cookies, httponly=True, samesite="lax"
    )
