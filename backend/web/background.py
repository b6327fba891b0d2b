"""Work that is done after an answer was sent, where the time of the answer would tell what the answer does not."""

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

# The same transactions as those of requests: a flood of them waits for the same places, and not in threads.
_transaction = asynccontextmanager(get_session)


async def in_transaction(
    request: Request, work: Callable[Concatenate[Session, P], None], *args: P.args, **kwargs: P.kwargs
) -> None:
    """Do something in a transaction of its own. Nobody can be told of a failure any more but the log."""
    try:
        async with _transaction(request) as session:
            await run_in_threadpool(work, session, *args, **kwargs)
    except Exception as error:
        log.error("after_answer_failed", work=work.__name__, error=type(error).__name__, exc_info=error)
