"""What routes may ask for. Nothing here blocks: each sync dependency would cost every request a thread hop."""

from collections.abc import AsyncIterator
from functools import cache
from typing import Annotated, cast

from anyio import CapacityLimiter
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.tokens import Identity, InvalidToken, read_access_token
from backend.cookies import access_cookie_name
from backend.errors import Unauthorized
from backend.infra.db import commit
from backend.infra.pubsub import Subscriber
from backend.infra.storage import Storage
from backend.settings import Settings

PASSWORDS_AT_ONCE = 2
BEARER = "bearer "


async def get_app_settings(request: Request) -> Settings:
    """Return the settings the application was built with."""
    return cast(Settings, request.app.state.settings)


async def get_sessions(request: Request) -> sessionmaker[Session]:
    """Return the factory of sessions, for what needs several transactions."""
    return cast("sessionmaker[Session]", request.app.state.sessions)


async def get_read_sessions(request: Request) -> sessionmaker[Session]:
    """Return the factory of sessions that only read, for routes that stream."""
    return cast("sessionmaker[Session]", request.app.state.read_sessions)


async def get_storage(request: Request) -> Storage:
    """Return the object storage."""
    return cast(Storage, request.app.state.storage)


async def get_subscriber(request: Request) -> Subscriber:
    """Return this process's subscription to live events."""
    return cast(Subscriber, request.app.state.subscriber)


SettingsDep = Annotated[Settings, Depends(get_app_settings)]
SessionsDep = Annotated["sessionmaker[Session]", Depends(get_sessions)]
ReadSessionsDep = Annotated["sessionmaker[Session]", Depends(get_read_sessions)]
StorageDep = Annotated[Storage, Depends(get_storage)]
SubscriberDep = Annotated[Subscriber, Depends(get_subscriber)]


async def get_session(request: Request) -> AsyncIterator[Session]:
    """Give one transaction to a request, committed before its answer leaves."""
    session: Session = request.app.state.sessions()
    try:
        yield session
        await run_in_threadpool(commit, session)
    except BaseException:
        await run_in_threadpool(session.rollback)
        raise
    finally:
        session.close()


async def get_read_session(request: Request) -> AsyncIterator[Session]:
    """Give a session that reads in autocommit: closing it only returns the connection, which blocks nobody."""
    session: Session = request.app.state.read_sessions()
    try:
        yield session
    finally:
        session.close()


# function scope: FastAPI's default ends after the answer was sent, and a failing commit would have said 202.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]
ReadSessionDep = Annotated[Session, Depends(get_read_session, scope="function")]


async def get_current_user(request: Request) -> Identity:
    """Return who asks, from the access token in the cookie or the Bearer header. Raises Unauthorized."""
    settings: Settings = request.app.state.settings
    header = request.headers.get("authorization", "")
    if header[: len(BEARER)].lower() == BEARER:
        token = header[len(BEARER) :].strip()
    else:
        token = request.cookies.get(access_cookie_name(settings), "")
    if not token:
        raise Unauthorized
    try:
        return read_access_token(token, settings.JWT_SECRET.get_secret_value(), settings.JWT_ALGORITHM)
    except InvalidToken as error:
        raise Unauthorized("The access token is invalid or expired. Refresh the session, or sign in again.") from error


CurrentUser = Annotated[Identity, Depends(get_current_user)]


@cache
def _password_limiter() -> CapacityLimiter:
    return CapacityLimiter(PASSWORDS_AT_ONCE)


async def password_slot() -> AsyncIterator[None]:
    """Let two requests at a time hash passwords; the others wait here, where waiting holds no thread and no memory."""
    async with _password_limiter():
        yield


PasswordSlot = Depends(password_slot, scope="function")
