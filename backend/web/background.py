"""Work that runs after the response, so that the response time reveals nothing about accounts."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import Concatenate, ParamSpec

import structlog
from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from backend.web.dependencies import get_session

log = structlog.get_logger(__name__)

P = ParamSpec("P")

# Use the same session slots as requests, so that a flood of background work waits without holding threads.
_transaction = asynccontextmanager(get_session)


async def in_transaction(
    request: Request, work: Callable[Concatenate[Session, P], None], *args: P.args, **kwargs: P.kwargs
) -> None:
    """Run `work` in its own transaction. Failures are logged, because the response is already sent."""
    try:
        async with _transaction(request) as session:
            await run_in_threadpool(work, session, *args, **kwargs)
    except Exception as error:
        log.error("background_work_failed", work=work.__name__, error=type(error).__name__, exc_info=error)
