"""Routes of signing in with Google. Browsers navigate to them, so every end is a page, never a document."""

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
from backend.accounts.google.service import Answer, begin_sign_in, finish_sign_in
from backend.accounts.google.transaction import HOME, LIFETIME_SECONDS, local_path, wanted_page
from backend.errors import AppError, NotFound
from backend.infra.openid import OpenIdProvider
from backend.settings import Settings
from backend.web.dependencies import SessionsDep, SettingsDep
from backend.web.problems import problems, request_id_of

log = structlog.get_logger(__name__)

SIGN_INS_AT_ONCE = 2
WAIT_SECONDS = 10

router = APIRouter(prefix="/api/oauth", tags=["accounts"])


class Providers(BaseModel):
    """With whom people can sign in here."""

    google: bool


@cache
def _limiter() -> CapacityLimiter:
    return CapacityLimiter(SIGN_INS_AT_ONCE)


async def google_slot() -> AsyncIterator[bool]:
    """Let two requests at a time ask Google; a slow Google would else take every thread, and the API with them.

    The others wait here, where waiting holds no thread. Gives False to whom it would take too long.
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
    """Return Google. Raises NotFound when the settings name no credentials."""
    provider: OpenIdProvider | None = request.app.state.google
    if provider is None:
        raise NotFound("Signing in with Google is not set up here.")
    return provider


GoogleDep = Annotated[OpenIdProvider, Depends(get_google)]
GoogleSlot = Annotated[bool, Depends(google_slot, scope="function")]


@router.get("/providers")
async def list_providers(request: Request) -> Providers:
    """Tell with whom people can sign in."""
    return Providers(google=request.app.state.google is not None)


@router.get("/google/start", status_code=302, response_class=RedirectResponse, responses=problems(404))
def start_google(provider: GoogleDep, slot: GoogleSlot, settings: SettingsDep, next: str = HOME) -> RedirectResponse:
    """Send the browser to Google; `next` is the page of ours to end at."""
    try:
        _check_slot(slot)
        address, cookie = begin_sign_in(provider, settings, next)
    except AppError as error:
        return _refused(error, settings, local_path(next))
    response = RedirectResponse(address, 302)
    # Lax, for the way back is a navigation from Google's site, which Strict would strip of its cookie.
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
    """Take the browser back from Google: signs in and goes on, or goes to the log-in page with an error's code."""
    answer = Answer(request.cookies.get(_cookie_name(settings), ""), state, code, error)
    try:
        _check_slot(slot)
        tokens, page = finish_sign_in(sessions, provider, settings, answer, device, request_id_of(request))
    except AppError as refusal:
        return _refused(refusal, settings, wanted_page(settings, answer.cookie))
    response = _without_transaction(RedirectResponse(page, 302), settings)
    set_session_cookies(response, settings, tokens)
    return response


def _check_slot(slot: bool) -> None:
    if not slot:
        log.warning("google_sign_in_failed", reason="others wait for Google too long")
        raise GoogleFailed


def _refused(error: AppError, settings: Settings, page: str) -> RedirectResponse:
    """Send the browser to the log-in page, which leads on to the page that was wanted when a second try succeeds."""
    query = {"error": error.code} | ({} if page == HOME else {"next": page})
    return _without_transaction(RedirectResponse(f"/login?{urlencode(query)}", 302), settings)


def _without_transaction(response: RedirectResponse, settings: Settings) -> RedirectResponse:
    response.delete_cookie(_cookie_name(settings), secure=settings.secure_cookies, httponly=True, samesite="lax")
    return response


def _cookie_name(settings: Settings) -> str:
    """Return the cookie's name; with `__Host-` no subdomain can plant a transaction of its own."""
    return "__Host-google" if settings.secure_cookies else "google"
