"""The list's baseline: bare Starlette and psycopg, the same query and serializer, no accounts, logs or checks."""

import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
import orjson
import psycopg
from psycopg.rows import namedtuple_row
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

# As many connections as our pool has, one per thread.
THREADS = 15
PAGE = 20
STATEMENT = """
SELECT id, status, progress, recipe::text AS recipe, filename, content_type, size, facts::text AS facts,
       results::text AS results, failure_code, attempts, created_at, started_at, finished_at, expires_at
FROM jobs WHERE user_id = %s AND deleted_at IS NULL ORDER BY id DESC LIMIT %s
"""

_local = threading.local()


async def hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def list_jobs(_request: Request) -> Response:
    return Response(await run_in_threadpool(_page), media_type="application/json")


def _page() -> bytes:
    if not hasattr(_local, "connection"):
        url = os.environ["DATABASE_URL"]
        _local.connection = psycopg.connect(url, autocommit=True, row_factory=namedtuple_row)
    rows = _local.connection.execute(STATEMENT, (os.environ["BENCH_USER_ID"], PAGE + 1)).fetchall()
    cursor = rows[PAGE - 1].id if len(rows) > PAGE else None
    return orjson.dumps({"items": [_document(row) for row in rows[:PAGE]], "next_cursor": cursor})


def _document(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "progress": row.progress,
        "recipe": orjson.Fragment(row.recipe),
        "original": {
            "filename": row.filename,
            "content_type": row.content_type,
            "size": row.size,
            "facts": orjson.Fragment(row.facts),
        },
        "results": orjson.Fragment(row.results),
        "failure": None,
        "attempts": row.attempts,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "expires_at": row.expires_at,
    }


@asynccontextmanager
async def _lifespan(_app: Starlette) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    yield


app = Starlette(routes=[Route("/hello", hello), Route("/api/jobs", list_jobs)], lifespan=_lifespan)
