"""Dependencies that any route may use: settings, sessions, storage, queue.

They are `async def` and do not block: a sync dependency would cost each request a hop to a thread.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session, sessionmaker

from backend.errors import Unavailable
from backend.infra.db import commit
from backend.infra.pubsub import Subscriber
from backend.infra.queue import Queue
from backend.infra.storage import Storage
from backend.settings import Settings


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
