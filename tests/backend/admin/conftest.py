"""Fixtures of the admin tests: admins, database access, dead letters."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.admin.models import AuditEntry
from backend.infra.db import transaction, utc_now
from backend.infra.queue import Queue
from backend.settings import Settings
from tests.actions import sign_up_and_in
from tests.servers import LiveServer
from tests.worker.conftest import make_job, read_job  # noqa: F401

ChangeUser = Callable[..., None]
ReadAudit = Callable[[], list[AuditEntry]]
# A job that lost its worker too often.
DEAD: dict[str, Any] = {
    "status": "failed",
    "failure_code": "worker_lost",
    "attempts": 5,
    "attempt_limit": 5,
}


@pytest.fixture
def change_user(sessions: sessionmaker[Session]) -> ChangeUser:
    """Set columns of a user directly in the database."""

    def change(user_id: str, **columns: Any) -> None:
        with transaction(sessions) as session:
            session.execute(update(User).where(User.id == UUID(user_id)).values(**columns))

    return change


@pytest.fixture
def admin(server: LiveServer, change_user: ChangeUser) -> Iterator[httpx.Client]:
    """A client that is signed in as an admin."""
    with server.client() as client:
        change_user(sign_up_and_in(client)["id"], is_admin=True)
        yield client


@pytest.fixture
def read_audit(sessions: sessionmaker[Session]) -> ReadAudit:
    """Return the audit log, oldest entry first."""

    def read() -> list[AuditEntry]:
        with sessions() as session:
            return list(session.scalars(select(AuditEntry).order_by(AuditEntry.id)))

    return read


@pytest.fixture
def empty_queue(settings: Settings) -> Queue:
    """The real queue, without messages of other tests."""
    queue = Queue(settings)
    queue.redis.flushdb()
    return queue


def id_of(client: httpx.Client) -> str:
    return str(client.get("/api/accounts/me").raise_for_status().json()["id"])


def ids(response: httpx.Response) -> list[str]:
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()["items"]]


def age(moment: str) -> timedelta:
    return utc_now() - datetime.fromisoformat(moment)
