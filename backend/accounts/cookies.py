"""The session's two cookies: HttpOnly, SameSite=Lax, prefixed where the address is https."""

from starlette.responses import Response

from backend.accounts.sessions import Tokens
from backend.settings import Settings

REFRESH_PATH = "/api/session"


def access_cookie_name(settings: Settings) -> str:
    """Return the access cookie's name; `__Host-` makes browsers refuse it from any other host or path."""
    return "__Host-access" if settings.secure_cookies else "access"


def refresh_cookie_name(settings: Settings) -> str:
    """Return the refresh cookie's name; its narrow path allows `__Secure-` alone."""
    return "__Secure-refresh" if settings.secure_cookies else "refresh"


def set_session_cookies(response: Response, settings: Settings, tokens: Tokens) -> None:
    """Give the browser a token pair; without a new refresh token it keeps the one it has."""
    seconds = settings.REFRESH_TOKEN_EXPIRE_DAYS * 86_400
    # The cookie outlives its token, so that an expired session is told from none.
    _set(response, settings, access_cookie_name(settings), tokens.access_token, "/", seconds)
    if tokens.refresh_token is not None:
        _set(response, settings, refresh_cookie_name(settings), tokens.refresh_token, REFRESH_PATH, seconds)


def clear_session_cookies(response: Response, settings: Settings) -> None:
    """Take both cookies away."""
    for name, path in ((access_cookie_name(settings), "/"), (refresh_cookie_name(settings), REFRESH_PATH)):
        response.delete_cookie(name, path=path, secure=settings.secure_cookies, httponly=True, samesite="lax")


def _set(response: Response, settings: Settings, name: str, value: str, path: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path=path, secure=settings.secure_cookies, httponly=True, samesite="lax"
    )
