"""Routes of Google sign-in. Browsers navigate to them, so each one ends with a redirect to a page."""

from collections.abc import AsyncIterator
from functools import cache
from typing import Annotated
from urllib.parse import urlencode

import structlog
from anyio import CapacityLimiter, move_on_after
from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel

from backend.accounts.cookies import set_session_cookies
from backend.accounts.dependencies import DeviceDep
from backend.accounts.errors import GoogleFailed
from backend.accounts.google.service import Callback, finish_sign_in, start_sign_in
from backend.accounts.google.transaction import HOME, LIFETIME_SECONDS, local_path, wanted_page
from backend.errors import AppError, NotFound
from backend.infra.openid import OpenIdProvider
from backend.settings import Settings
from backend.web.dependencies import SessionsDep, SettingsDep
from backend.web.problems import problems, request_id_of

log = structlog.get_logger(__name__)

MAX_CONCURRENT_SIGN_INS = 2
WAIT_SECONDS = 10

router = APIRouter(prefix="/api/oauth", tags=["accounts"])


class Providers(BaseModel):
    google: bool


@cache
def _limiter() -> CapacityLimiter:
    return CapacityLimiter(MAX_CONCURRENT_SIGN_INS)


async def google_slot() -> AsyncIterator[bool]:
    """Let at most two requests at a time call Google. Otherwise a slow Google could block every thread of the API.

    Other requests wait here without holding a thread. Yields False after WAIT_SECONDS.
    """
    limiter = _limiter()
    with move_on_after(WAIT_SECONDS) as wait:
        await limiter.acquire()
    if wait.cancelled_caught:
        yield False
        return
    try:
        yield True
    finally:
        limiter.release()


async def get_google(request: Request) -> OpenIdProvider:
    """Return Google's client. Raises NotFound when it is not configured."""
    provider: OpenIdProvider | None = request.app.state.google
    if provider is None:
        raise NotFound("Google sign-in is not enabled. Log in with your password.")
    return provider


GoogleDep = Annotated[OpenIdProvider, Depends(get_google)]
GoogleSlot = Annotated[bool, Depends(google_slot, scope="function")]


@router.get("/providers")
async def list_providers(request: Request) -> Providers:
    """List the enabled sign-in providers."""
    return Providers(google=request.app.state.google is not None)


@router.get("/google/start", status_code=302, response_class=RedirectResponse, responses=problems(404))
def start_google(provider: GoogleDep, slot: GoogleSlot, settings: SettingsDep, next: str = HOME) -> RedirectResponse:
    """Redirect to Google. `next` is the path to open after sign-in."""
    try:
        _check_slot(slot)
        address, cookie = start_sign_in(provider, settings, next)
    except AppError as error:
        return _refused(error, settings, local_path(next))
    response = RedirectResponse(address, 302)
    # Lax, because browsers don't send Strict cookies when Google's site redirects back.
    response.set_cookie(
        _cookie_name(settings),
        cookie,
        max_age=LIFETIME_SECONDS,
        secure=settings.secure_cookies,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/google/callback", status_code=302, response_class=RedirectResponse, responses=problems(404))
def finish_google(
    request: Request,
    provider: GoogleDep,
    slot: GoogleSlot,
    sessions: SessionsDep,
    settings: SettingsDep,
    device: DeviceDep,
    state: str = "",
    code: str = "",
    error: str = "",
) -> RedirectResponse:
    """Handle the redirect from Google: sign in and redirect to `next`, or to the log-in page with an error code."""
    callback = Callback(request.cookies.get(_cookie_name(settings), ""), state, code, error)
    try:
        _check_slot(slot)
        tokens, page = finish_sign_in(sessions, provider, settings, callback, device, request_id_of(request))
    except AppError as refusal:
        return _refused(refusal, settings, wanted_page(settings, callback.cookie))
    response = _without_transaction(RedirectResponse(page, 302), settings)
    set_session_cookies(response, settings, tokens)
    return response


def _check_slot(slot: bool) -> None:
    if not slot:
        log.warning("google_sign_in_failed", reason="timed out while waiting for other sign-ins")
        raise GoogleFailed


def _refused(error: AppError, settings: Settings, page: str) -> RedirectResponse:
    query = {"error": error.code} | ({} if page == HOME else {"next": page})
    return _without_transaction(RedirectResponse(f"/login?{urlencode(query)}", 302), settings)


def _without_transaction(response: RedirectResponse, settings: Settings) -> RedirectResponse:
    response.delete_cookie(_cookie_name(settings), secure=settings.secure_cookies, httponly=True, samesite="lax")
    return response


def _cookie_name(settings: Settings) -> str:
    """Return the name with `__Host-`, so that no subdomain can set this cookie."""
    return "__Host-google" if settings.secure_cookies else "google"
