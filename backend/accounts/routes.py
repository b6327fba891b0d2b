"""Routes of accounts and sessions."""

from fastapi import APIRouter, Request, Response

from backend.accounts import service
from backend.accounts.schemas import AccountOut, LogIn, SignUp
from backend.cookies import clear_session_cookies, refresh_cookie_name, set_session_cookies
from backend.dependencies import CurrentUser, PasswordSlot, ReadSessionDep, SessionDep, SessionsDep, SettingsDep
from backend.problems import problems

router = APIRouter(prefix="/api", tags=["accounts"])


@router.post("/accounts", status_code=201, dependencies=[PasswordSlot], responses=problems(403, 409, 422))
def sign_up(body: SignUp, session: SessionDep, settings: SettingsDep) -> AccountOut:
    """Make an account. Signing in is a second step."""
    user = service.sign_up(
        session, settings, email=body.email, password=body.password.get_secret_value(), name=body.name
    )
    return AccountOut.model_validate(user)


@router.get("/accounts/me", responses=problems(401))
def read_account(user: CurrentUser, session: ReadSessionDep) -> AccountOut:
    """Return the signed-in account."""
    return AccountOut.model_validate(service.get_user(session, user.user_id))


@router.post("/session", dependencies=[PasswordSlot], responses=problems(401, 422))
def log_in(body: LogIn, response: Response, session: SessionDep, settings: SettingsDep) -> AccountOut:
    """Sign in: sets the access and the refresh cookie."""
    user, tokens = service.log_in(session, settings, email=body.email, password=body.password.get_secret_value())
    set_session_cookies(response, settings, tokens)
    return AccountOut.model_validate(user)


@router.post("/session/refresh", status_code=204, responses=problems(401))
def refresh_session(request: Request, response: Response, sessions: SessionsDep, settings: SettingsDep) -> None:
    """Exchange the refresh cookie for a new pair of cookies."""
    presented = request.cookies.get(refresh_cookie_name(settings), "")
    set_session_cookies(response, settings, service.refresh_session(sessions, settings, presented))


@router.delete("/session", status_code=204)
def log_out(request: Request, response: Response, session: SessionDep, settings: SettingsDep) -> None:
    """Sign out this device."""
    service.log_out(session, request.cookies.get(refresh_cookie_name(settings), ""))
    clear_session_cookies(response, settings)
