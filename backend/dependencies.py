"""What routes may ask for. Nothing here blocks: each sync dependency would cost every request a thread hop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Annotated, cast

from anyio import CapacityLimiter
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.sessions import Device, is_active
from backend.accounts.tokens import Identity, InvalidToken, read_access_token
from backend.admin.access import require_admin
from backend.admin.audit import Actor
from backend.cookies import access_cookie_name
from backend.errors import Unauthorized, Unavailable
from backend.infra.db import commit
from backend.infra.pubsub import Subscriber
from backend.infra.queue import Queue
from backend.infra.storage import Storage
from backend.problems import request_id_of
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


async def get_queue(request: Request) -> Queue:
    """Return the task queue."""
    return cast(Queue, request.app.state.queue)


async def get_subscriber(request: Request) -> Subscriber:
    """Return this process's subscription to live events."""
    return cast(Subscriber, request.app.state.subscriber)


SettingsDep = Annotated[Settings, Depends(get_app_settings)]
SessionsDep = Annotated["sessionmaker[Session]", Depends(get_sessions)]
ReadSessionsDep = Annotated["sessionmaker[Session]", Depends(get_read_sessions)]
StorageDep = Annotated[Storage, Depends(get_storage)]
QueueDep = Annotated[Queue, Depends(get_queue)]
SubscriberDep = Annotated[Subscriber, Depends(get_subscriber)]


async def get_session(request: Request) -> AsyncIterator[Session]:
    """Give one transaction to a request, committed before its answer leaves."""
    async with _slot(request, request.app.state.write_slots):
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
    async with _slot(request, request.app.state.read_slots):
        session: Session = request.app.state.read_sessions()
        try:
            yield session
        finally:
            session.close()


@asynccontextmanager
async def _slot(request: Request, slots: asyncio.Semaphore) -> AsyncIterator[None]:
    """Wait for a place among the sessions of this process. Raises Unavailable.

    Waiting here holds no thread. Sessions beyond the pool's connections, or behind another's lock, would wait in
    threads, and whoever holds what they wait for needs one to go on.
    """
    settings: Settings = request.app.state.settings
    try:
        async with asyncio.timeout(settings.DATABASE_POOL_TIMEOUT_SECONDS):
            await slots.acquire()
    except TimeoutError as error:
        raise Unavailable from error
    try:
        yield
    finally:
        slots.release()


# function scope: FastAPI's default ends after the answer was sent, and a failing commit would have said 202.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]
ReadSessionDep = Annotated[Session, Depends(get_read_session, scope="function")]


async def get_current_user(request: Request) -> Identity:
    """Return who asks. Raises Unauthorized."""
    return identify(request)


def identify(request: Request) -> Identity:
    """Return who asks, from the access token in the cookie or the Bearer header. Raises Unauthorized."""
    known: Identity | None = request.scope["state"].get("identity")
    if known is not None:
        return known
    identity = request.scope["state"]["identity"] = _read_token(request)
    return identity


def _read_token(request: Request) -> Identity:
    settings: Settings = request.app.state.settings
    header = request.headers.get("authorization", "")
    if header[: len(BEARER)].lower() == BEARER:
        token = header[len(BEARER) :].strip()
    else:
        token = request.cookies.get(access_cookie_name(settings), "")
    if not token:
        raise Unauthorized
    try:
        return read_access_token(token, settings)
    except InvalidToken as error:
        raise Unauthorized("The access token is invalid or expired. Refresh the session, or sign in again.") from error


CurrentUser = Annotated[Identity, Depends(get_current_user)]


async def get_admin(request: Request, user: CurrentUser, read_sessions: ReadSessionsDep) -> Actor:
    """Return the admin who asks, as the database knows him now. Raises Unauthorized, AdminsOnly."""

    def ask() -> Actor:
        with read_sessions() as session:
            address = request.client.host if request.client else ""
            return require_admin(session, user, address=address, request_id=request_id_of(request))

    return await run_in_threadpool(ask)


AdminUser = Annotated[Actor, Depends(get_admin)]


def get_active_user(user: CurrentUser, session: SessionDep) -> Identity:
    """Return who writes. Raises Unauthorized when the session was ended or the account disabled a moment ago."""
    if not is_active(session, user):
        raise Unauthorized
    return user


# For whatever changes something: a read may go on for an access token's life, a write must not.
ActiveUser = Annotated[Identity, Depends(get_active_user)]


async def get_device(request: Request) -> Device:
    """Return what the request tells of its device."""
    address = request.client.host if request.client else ""
    return Device(request.headers.get("user-agent", ""), address)


DeviceDep = Annotated[Device, Depends(get_device)]


@cache
def _password_limiter() -> CapacityLimiter:
    return CapacityLimiter(PASSWORDS_AT_ONCE)


async def password_slot() -> AsyncIterator[None]:
    """Let two requests at a time hash passwords; the others wait here, where waiting holds no thread and no memory."""
    async with _password_limiter():
        yield


PasswordSlot = Depends(password_slot, scope="function")
