"""Exports and account deletion: complete, repeatable, and safe after a crash."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.deletion import requeue_lost_deletions
from backend.accounts.exports import requeue_lost_exports
from backend.accounts.models import AccountToken, Export, LoginSession, User
from backend.infra.db import transaction, utc_now
from backend.infra.queue import Queue
from backend.infra.storage import StorageError
from backend.infra.storage.disk import DiskStorage
from backend.jobs.models import Job, Upload
from backend.mails.models import Mail
from backend.settings import Settings
from tests.actions import PASSWORD, create_job, send_photo, wait_for_job
from tests.backend.jobs.test_create_job import refusal
from tests.servers import LiveServer, WorkerProcess
from tests.time_limits import scaled
from worker.delete_account import delete_account
from worker.export_account import delete_expired_exports, export_account


@pytest.fixture
def stored(server: LiveServer) -> DiskStorage:
    storage = server.app.state.storage
    assert isinstance(storage, DiskStorage)
    return storage


def test_an_export_contains_the_account_its_jobs_and_the_original_photos(
    user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session], photo: bytes
) -> None:
    job = create_job(user, send_photo(user, photo, filename="..\\Bag red.jpg"))
    requested = user.post("/api/accounts/me/exports")
    assert requested.status_code == 202
    assert requested.json()["status"] == "queued"
    assert requested.json()["url"] is None
    refusal(user.post("/api/accounts/me/exports"), 409, "export_pending")
    export_account(UUID(requested.json()["id"]), sessions, stored)
    [export] = user.get("/api/accounts/me/exports").json()["items"]
    assert export["status"] == "ready"
    response = user.get(export["url"], follow_redirects=True)
    assert len(response.content) == export["size"]
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert set(archive.namelist()) == {"account.json", "jobs.json", f"originals/{job['id']}/Bag red.jpg"}
        assert archive.read(f"originals/{job['id']}/Bag red.jpg") == photo
        account = archive.read("account.json").decode()
        assert json.loads(account)["email"] == user.get("/api/accounts/me").json()["email"]
        assert "hash" not in account
        assert json.loads(archive.read("jobs.json"))[0]["id"] == job["id"]


def test_an_export_belongs_to_its_owner(
    user: httpx.Client, other_user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session]
) -> None:
    requested = user.post("/api/accounts/me/exports").json()
    refusal(user.get(f"/api/accounts/me/exports/{requested['id']}/file"), 404, "export_not_found")
    export_account(UUID(requested["id"]), sessions, stored)
    refusal(other_user.get(f"/api/accounts/me/exports/{requested['id']}/file"), 404, "export_not_found")
    assert other_user.get("/api/accounts/me/exports").json()["items"] == []


def test_an_export_that_runs_twice_is_mailed_once(
    user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session]
) -> None:
    export_id = UUID(user.post("/api/accounts/me/exports").json()["id"])
    for _ in range(2):
        export_account(export_id, sessions, stored)
    with sessions() as session:
        assert session.scalar(select(func.count()).where(Mail.template == "export_ready")) == 1


def test_an_expired_export_is_deleted(user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session]) -> None:
    export_id = UUID(user.post("/api/accounts/me/exports").json()["id"])
    export_account(export_id, sessions, stored)
    with transaction(sessions) as session:
        session.execute(update(Export).values(expires_at=utc_now() - timedelta(seconds=1)))
    delete_expired_exports(sessions, stored)
    assert user.get("/api/accounts/me/exports").json()["items"] == []
    assert not [path for path in stored.path("exports").rglob("*") if path.is_file()]


def test_an_account_deletion_needs_the_password_and_takes_effect_immediately(user: httpx.Client) -> None:
    email = user.get("/api/accounts/me").json()["email"]
    wrong = user.request("DELETE", "/api/accounts/me", json={"password": "wrong password"})
    refusal(wrong, 422, "wrong_password")
    assert user.request("DELETE", "/api/accounts/me", json={"password": PASSWORD}).status_code == 204
    refusal(user.get("/api/accounts/me"), 401, "not_authenticated")
    refusal(user.post("/api/session", json={"email": email, "password": PASSWORD}), 401, "wrong_credentials")
    again = user.post("/api/accounts", json={"email": email, "password": PASSWORD, "name": "Back again"})
    assert again.status_code == 201, "a new account can use the address"


def test_a_deletion_that_crashed_deletes_everything_when_repeated(
    user: httpx.Client, other_user: httpx.Client, stored: DiskStorage, sessions: sessionmaker[Session], photo: bytes
) -> None:
    user_id = UUID(user.get("/api/accounts/me").json()["id"])
    for client in (user, user, other_user):
        create_job(client, send_photo(client, photo))
    send_photo(user, photo)
    user.request("DELETE", "/api/accounts/me", json={"password": PASSWORD})
    with transaction(sessions) as session:
        session.execute(update(Upload).values(expires_at=utc_now() - timedelta(hours=2)))

    class Crashing:
        def delete_prefix(self, prefix: str) -> None:
            if prefix.startswith("originals"):
                raise StorageError("unavailable")
            stored.delete_prefix(prefix)

    with pytest.raises(StorageError):
        delete_account(user_id, sessions, Crashing())  # type: ignore[arg-type]
    delete_account(user_id, sessions, stored)
    delete_account(user_id, sessions, stored)
    with sessions() as session:
        for table in (User, Job, Upload, LoginSession):
            assert session.scalar(select(func.count()).select_from(table)) == 1, table
        assert session.scalar(select(func.count()).where(AccountToken.user_id == user_id)) == 0
    left = [path for path in stored.path("originals").rglob("*") if path.is_file()]
    assert len(left) == 1
    assert user_id.hex not in str(left)


def test_lost_tasks_of_accounts_are_sent_again(
    user: httpx.Client, other_user: httpx.Client, sessions: sessionmaker[Session], settings: Settings
) -> None:
    user.post("/api/accounts/me/exports")
    other_user.request("DELETE", "/api/accounts/me", json={"password": PASSWORD})
    queue = Queue(settings)
    queue.redis.flushdb()
    long_ago = utc_now() - timedelta(hours=1)
    with transaction(sessions) as session:
        session.execute(update(Export).values(created_at=utc_now() - timedelta(minutes=30)))
        session.execute(update(User).where(User.deleted_at.is_not(None)).values(deleted_at=long_ago))
    with transaction(sessions) as session:
        requeue_lost_exports(session)
        requeue_lost_deletions(session)
    assert queue.redis.llen("housekeeping") == 2


def test_a_real_worker_deletes_an_account(
    user: httpx.Client, worker: WorkerProcess, sessions: sessionmaker[Session], photo: bytes, stored: DiskStorage
) -> None:
    job = create_job(user, send_photo(user, photo))
    wait_for_job(user, job["id"])
    user.request("DELETE", "/api/accounts/me", json={"password": PASSWORD})
    wait_until(lambda: "account_deletion_postponed" in worker.log.read_text())
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Job)) == 0
    assert not [path for path in stored.path("results").rglob("*") if path.is_file()]


def wait_until(check: Callable[[], bool]) -> None:
    import time

    deadline = time.monotonic() + scaled(15)
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)
