"""Routes of sessions: log in, refresh, log out, list devices, tokens for API clients."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response

from backend.accounts import service, sessions
from backend.accounts.attempts import AttemptLimit
from backend.accounts.cookies import clear_session_cookies, refresh_cookie_name, set_session_cookies
from backend.accounts.dependencies import ActiveUser, CurrentUser, DeviceDep, PasswordSlot
from backend.accounts.schemas import AccountOut, LogIn, PasswordGrant, RefreshToken, SessionList, SessionOut, TokenOut
from backend.accounts.sessions import Tokens
from backend.settings import Settings
from backend.web.dependencies import ReadSessionDep, SessionDep, SessionsDep, SettingsDep
from backend.web.problems import problems

router = APIRouter(prefix="/api", tags=["sessions"])


@router.post("/session", dependencies=[AttemptLimit, PasswordSlot], responses=problems(401, 403, 413, 422))
def log_in(
    body: LogIn, response: Response, session: SessionDep, settings: SettingsDep, device: DeviceDep
) -> AccountOut:
    """Sign in. The response sets the access and the refresh cookie."""
    password = body.password.get_secret_value()
    user, tokens = service.log_in(session, settings, email=body.email, password=password, device=device)
    set_session_cookies(response, settings, tokens)
    return AccountOut.of(user)


@router.post("/session/token", dependencies=[AttemptLimit, PasswordSlot], responses=problems(401, 403, 413, 422))
def create_token(
    form: Annotated[PasswordGrant, Form()],
    session: SessionDep,
    settings: SettingsDep,
    device: DeviceDep,
) -> TokenOut:
    """Sign in an API client (RFC 6749, section 4.3). Send the access token in a Bearer header."""
    password = form.password.get_secret_value()
    _user, tokens = service.log_in(session, settings, email=form.username, password=password, device=device)
    return _token_out(tokens, settings)


@router.post("/session/token/refresh", responses=problems(401, 413, 422))
def refresh_token(body: RefreshToken, factory: SessionsDep, settings: SettingsDep) -> TokenOut:
    """Exchange an API client's refresh token for a new pair."""
    return _token_out(sessions.refresh_session(factory, settings, body.refresh_token), settings)


@router.post("/session/refresh", status_code=204, responses=problems(401))
def refresh_session(request: Request, response: Response, factory: SessionsDep, settings: SettingsDep) -> None:
    """Exchange the refresh cookie for a new pair of cookies."""
    presented = request.cookies.get(refresh_cookie_name(settings), "")
    set_session_cookies(response, settings, sessions.refresh_session(factory, settings, presented))


@router.delete("/session", status_code=204)
def log_out(request: Request, response: Response, session: SessionDep, settings: SettingsDep) -> None:
    """Sign out this device."""
    sessions.end_session(session, request.cookies.get(refresh_cookie_name(settings), ""))
    clear_session_cookies(response, settings)


@router.get("/sessions", responses=problems(401))
def list_sessions(user: CurrentUser, session: ReadSessionDep) -> SessionList:
    """List the account's signed-in devices."""
    items = [
        SessionOut(
            id=item.id,
            device=item.user_agent,
            address=item.address,
            created_at=item.created_at,
            last_seen_at=item.rotated_at,
            current=item.id == user.session_id,
        )
        for item in sessions.list_sessions(session, user.user_id)
    ]
    return SessionList(items=items)


@router.delete("/sessions/{session_id}", status_code=204, responses=problems(401, 404, 422))
def end_session(session_id: UUID, user: ActiveUser, session: SessionDep) -> None:
    """Sign out one of the account's devices."""
    sessions.end_session_by_id(session, user.user_id, session_id)


def _token_out(tokens: Tokens, settings: Settings) -> TokenOut:
    return TokenOut(
        access_token=tokens.access_token,
        refresh_token=tokens.refresh_token,
        expires_in=settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
    )
