"""Live events of a user's jobs: publishing after commit, and the stream."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import orjson
from sqlalchemy.orm import Session

from backend.infra.db import after_commit
from backend.infra.pubsub import Publisher, Signal, Subscriber
from backend.jobs.models import Job
from backend.jobs.schemas import dump_job

JOB = "job"
JOB_DELETED = "job-deleted"
STREAM_SECONDS = 600

Event = tuple[str, str]


def publish(session: Session, job: Job) -> None:
    """Publish a job to its owner's streams after the transaction commits.

    Uses the publisher of the session's factory (`create_sessions(engine, publisher=...)`).
    """
    publisher: Publisher = session.info["publisher"]
    if job.deleted_at is None:
        message = _encode(JOB, dump_job(job))
    else:
        message = _encode(JOB_DELETED, orjson.dumps({"id": str(job.id)}))
    after_commit(session, lambda: publisher.publish(_channel(job.user_id), message))


async def stream(
    subscriber: Subscriber, user_id: UUID, snapshot: Callable[[], Awaitable[list[bytes]]], *, until: float
) -> AsyncIterator[Event]:
    """Yield (event name, JSON): first a snapshot of recent jobs, then their changes.

    Ends after STREAM_SECONDS, at `until` (the access token's expiry, Unix time), or when the process stops.
    The subscription starts before the snapshot is read. So a job may be sent twice, but none is missed.
    After an error of Valkey, the snapshot is sent again.
    """
    ends_at = time.monotonic() + min(STREAM_SECONDS, until - time.time())
    async with subscriber.subscribe(_channel(user_id)) as subscription:
        message: bytes | Signal = Signal.MAY_HAVE_MISSED
        while message is not Signal.END and time.monotonic() < ends_at:
            if isinstance(message, bytes):
                yield _decode(message)
            else:
                for document in await snapshot():
                    yield JOB, document.decode()
            message = await subscription.next(ends_at - time.monotonic())


def _channel(user_id: UUID) -> str:
    return f"jobs:{user_id.hex}"


def _encode(name: str, document: bytes) -> bytes:
    return name.encode() + b"\n" + document


def _decode(message: bytes) -> Event:
    name, _, document = message.partition(b"\n")
    return name.decode(), document.decode()
