"""Dependencies for all routes: settings, sessions, storage, queue.

They are `async def` and do not block, because FastAPI runs sync dependencies in a thread.
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
    return cast(Settings, request.app.state.settings)


async def get_sessions(request: Request) -> sessionmaker[Session]:
    """Return the session factory, for code that needs several transactions."""
    return cast("sessionmaker[Session]", request.app.state.sessions)


async def get_read_sessions(request: Request) -> sessionmaker[Session]:
    """Return the factory of read-only sessions, for routes that stream."""
    return cast("sessionmaker[Session]", request.app.state.read_sessions)


async def get_storage(request: Request) -> Storage:
    return cast(Storage, request.app.state.storage)


async def get_queue(request: Request) -> Queue:
    return cast(Queue, request.app.state.queue)


async def get_subscriber(request: Request) -> Subscriber:
    return cast(Subscriber, request.app.state.subscriber)


SettingsDep = Annotated[Settings, Depends(get_app_settings)]
SessionsDep = Annotated["sessionmaker[Session]", Depends(get_sessions)]
ReadSessionsDep = Annotated["sessionmaker[Session]", Depends(get_read_sessions)]
StorageDep = Annotated[Storage, Depends(get_storage)]
QueueDep = Annotated[Queue, Depends(get_queue)]
SubscriberDep = Annotated[Subscriber, Depends(get_subscriber)]


async def get_session(request: Request) -> AsyncIterator[Session]:
    """Yield a session with one transaction, which is committed before the response is sent."""
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
    """Yield a read-only session in autocommit. Closing it does not block: it only returns the connection."""
    async with _slot(request, request.app.state.read_slots):
        session: Session = request.app.state.read_sessions()
        try:
            yield session
        finally:
            session.close()


@asynccontextmanager
async def _slot(request: Request, slots: asyncio.Semaphore) -> AsyncIterator[None]:
    """Wait until this process may open one more session. Raises Unavailable after DATABASE_POOL_TIMEOUT_SECONDS.

    Waiting here holds no thread. Without slots, sessions would wait in threads for a connection or a lock, while the
    session that holds it needs a thread to finish: a deadlock.
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


# Function scope commits before the response is sent. With FastAPI's default, a failed commit would follow a 202.
SessionDep = Annotated[Session, Depends(get_session, scope="function")]
ReadSessionDep = Annotated[Session, Depends(get_read_session, scope="function")]
