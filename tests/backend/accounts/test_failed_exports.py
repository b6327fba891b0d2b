"""Exports that fail or are no longer wanted: they leave no file, and the user can request another."""

import errno
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import httpx
import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.deletion import requeue_lost_deletions
from backend.accounts.exports import requeue_lost_exports
from backend.accounts.models import Export, User
from backend.infra.db import transaction, utc_now
from backend.infra.queue import Queue
from backend.infra.storage.disk import DiskStorage
from backend.mails.models import Mail
from backend.settings import Settings
from tests.actions import PASSWORD, create_job, send_photo
from tests.backend.jobs.test_create_job import refusal
from worker.delete_account import delete_account
from worker.export_account import export_account

Step = Callable[[], None]


@pytest.fixture
def stored(storage: DiskStorage) -> DiskStorage:
    """Storage whose files the tests can read."""
    return storage


def request_export(user: httpx.Client) -> UUID:
    response = user.post("/api/accounts/me/exports")
    assert response.status_code == 202, response.text
    return UUID(response.json()["id"])


def statuses(user: httpx.Client) -> list[str]:
    return [export["status"] for export in user.get("/api/accounts/me/exports").json()["items"]]


def files(stored: DiskStorage) -> list[Path]:
    return [path for path in stored.path("exports").rglob("*") if path.is_file()]


def close_account(user: httpx.Client) -> UUID:
    user_id = UUID(user.get("/api/accounts/me").json()["id"])
    assert user.request("DELETE", "/api/accounts/me", json={"password": PASSWORD}).status_code == 204
    return user_id


def do_nothing() -> None:
    pass


class HookedStorage:
    """Storage that runs a function before or after each upload."""

    def __init__(self, stored: DiskStorage, *, before: Step = do_nothing, after: Step = do_nothing) -> None:
        self._stored, self._before, self._after = stored, before, after
        self.download, self.delete_prefix = stored.download, stored.delete_prefix

    def upload(self, path: Path, key: str, *, content_type: str) -> None:
        self._before()
        self._stored.upload(path, key, content_type=content_type)
        self._after()


def test_an_export_that_runs_while_its_account_is_deleted_leaves_no_file(
    user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session]
) -> None:
    export_id = request_export(user)

    def end_account() -> None:
        delete_account(close_account(user), sessions, stored)

    export_account(export_id, sessions, HookedStorage(stored, before=end_account))  # type: ignore[arg-type]
    assert files(stored) == []
    with transaction(sessions) as session:
        assert session.scalars(select(Mail).where(Mail.template == "export_ready")).all() == []
        user_id = session.scalars(select(User.id)).one()
    delete_account(user_id, sessions, stored)
    with sessions() as session:
        assert session.scalars(select(User.id)).all() == []


def test_an_export_whose_row_was_deleted_leaves_no_file(
    user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session]
) -> None:
    export_id = request_export(user)

    def delete_row() -> None:
        with transaction(sessions) as session:
            session.delete(session.get_one(Export, export_id))

    export_account(export_id, sessions, HookedStorage(stored, before=delete_row))  # type: ignore[arg-type]
    assert files(stored) == []


def test_a_worker_lost_after_storing_a_copy_of_a_closed_account_leaves_no_file(
    user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session], settings: Settings
) -> None:
    export_id = request_export(user)
    user_ids: list[UUID] = []

    def end_account() -> None:
        user_ids.append(close_account(user))
        delete_account(user_ids[0], sessions, stored)

    def kill_worker() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_account(export_id, sessions, HookedStorage(stored, before=end_account, after=kill_worker))  # type: ignore[arg-type]
    assert len(files(stored)) == 1
    with transaction(sessions) as session:
        long_ago = utc_now() - timedelta(minutes=61)
        session.execute(update(Export).values(created_at=long_ago))
        session.execute(update(User).values(deleted_at=long_ago))
    queue = Queue(settings)
    queue.redis.flushdb()
    with transaction(sessions) as session:
        requeue_lost_exports(session)
        requeue_lost_deletions(session)
    assert queue.redis.llen("housekeeping") == 1
    delete_account(user_ids[0], sessions, stored)
    assert files(stored) == []
    with sessions() as session:
        assert session.scalars(select(User.id)).all() == []


@pytest.mark.parametrize("error", [SoftTimeLimitExceeded(), OSError(errno.ENOSPC, "No space left on device")])
def test_an_export_that_exceeds_a_limit_fails_and_can_be_requested_again(
    error: Exception,
    user: httpx.Client,
    stored: DiskStorage,
    sessions: sessionmaker[Session],
    photo: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create_job(user, send_photo(user, photo))
    export_id = request_export(user)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()

    def fail() -> None:
        assert list((tmp_path / "temporary").iterdir())
        raise error

    export_account(export_id, sessions, HookedStorage(stored, after=fail))  # type: ignore[arg-type]
    assert statuses(user) == ["failed"]
    assert files(stored) == []
    assert list((tmp_path / "temporary").iterdir()) == []
    export_account(request_export(user), sessions, stored)
    assert statuses(user) == ["ready", "failed"]


def test_an_export_that_waits_for_an_hour_fails_and_can_be_requested_again(
    user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session]
) -> None:
    late = request_export(user)
    with transaction(sessions) as session:
        session.execute(update(Export).values(created_at=utc_now() - timedelta(minutes=59)))
        requeue_lost_exports(session)
    assert statuses(user) == ["queued"]
    with transaction(sessions) as session:
        session.execute(update(Export).values(created_at=utc_now() - timedelta(minutes=61)))
        requeue_lost_exports(session)
    assert statuses(user) == ["failed"]
    export_account(late, sessions, stored)
    assert files(stored) == []
    export_account(request_export(user), sessions, stored)
    assert statuses(user) == ["ready", "failed"]


def test_an_export_that_times_out_while_it_runs_leaves_no_file(
    user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session]
) -> None:
    export_id = request_export(user)

    def time_out() -> None:
        with transaction(sessions) as session:
            session.execute(update(Export).values(created_at=utc_now() - timedelta(minutes=61)))
            requeue_lost_exports(session)

    export_account(export_id, sessions, HookedStorage(stored, before=time_out))  # type: ignore[arg-type]
    assert statuses(user) == ["failed"]
    assert files(stored) == []


def test_one_export_per_day_is_allowed(
    user: httpx.Client, other_user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session]
) -> None:
    export_account(request_export(user), sessions, stored)
    refused = user.post("/api/accounts/me/exports")
    refusal(refused, 429, "quota_exports_per_day")
    assert "24 hours" in refused.json()["detail"]
    assert 86_000 < int(refused.headers["retry-after"]) <= 86_400
    request_export(other_user)
    with transaction(sessions) as session:
        session.execute(update(Export).values(created_at=utc_now() - timedelta(hours=24)))
    request_export(user)
