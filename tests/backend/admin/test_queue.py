"""The queue's figures: with a real broker, with a real worker, and without a broker."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.infra.db import utc_now
from backend.infra.queue import Queue
from backend.settings import Settings
from scripts.valkey import free_port
from tests.actions import create_job, send_photo, sign_up_and_in
from tests.backend.admin.conftest import ChangeUser
from tests.conftest import MakeSettings, on_one_database
from tests.photos import make_noise
from tests.servers import LiveServer, WorkerProcess
from tests.time_limits import scaled
from tests.worker.conftest import MakeJob


def read_figures(admin: httpx.Client) -> dict[str, Any]:
    return dict(admin.get("/api/admin/queue").raise_for_status().json())


@pytest.mark.usefixtures("empty_queue")
def test_an_idle_system_has_zero_figures(admin: httpx.Client) -> None:
    assert read_figures(admin) == {
        "valkey": "ok",
        "depth": 0,
        "unacked": 0,
        "workers_alive": 0,
        "queued_rows": 0,
        "processing_rows": 0,
        "oldest_queued_seconds": None,
        "dead_letters": 0,
    }


def test_messages_rows_and_workers_are_counted(
    admin: httpx.Client, user: httpx.Client, photo: bytes, make_job: MakeJob, empty_queue: Queue
) -> None:
    for _ in range(3):
        create_job(user, send_photo(user, photo))
    make_job(sent_at=utc_now() - timedelta(minutes=10))
    make_job(status="processing")
    make_job(status="failed", failure_code="worker_lost")
    make_job(status="failed", failure_code="not_an_image")
    empty_queue.announce_worker("one")
    empty_queue.announce_worker("two")
    shown = read_figures(admin)
    assert 600 <= shown.pop("oldest_queued_seconds") < 660
    assert shown == {
        "valkey": "ok",
        "depth": 3,
        "unacked": 0,
        "workers_alive": 2,
        "queued_rows": 4,
        "processing_rows": 1,
        "dead_letters": 1,
    }


def test_a_job_that_is_due_later_counts_as_waiting_for_zero_seconds(admin: httpx.Client, make_job: MakeJob) -> None:
    make_job(sent_at=utc_now() + timedelta(minutes=5))
    assert read_figures(admin)["oldest_queued_seconds"] == 0


@on_one_database  # the tests above count rows on both databases; this one tests broker and worker
@pytest.mark.usefixtures("empty_queue")
def test_a_busy_worker_is_counted(admin: httpx.Client, user: httpx.Client, settings: Settings, tmp_path: Any) -> None:
    upload_id = send_photo(user, make_noise(3000, 2000))
    with WorkerProcess(settings, tmp_path):
        create_job(user, upload_id, enhance=True)
        shown = _wait(lambda: read_figures(admin), lambda now: now["processing_rows"] == 1 and now["unacked"] == 1)
        assert shown["depth"] == 0
        assert shown["workers_alive"] == 1
        assert shown["queued_rows"] == 0
        _wait(lambda: read_figures(admin), lambda now: (now["processing_rows"], now["unacked"]) == (0, 0))


def _wait(read: Callable[[], dict[str, Any]], is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + scaled(30)
    while not is_so(now := read()):
        assert time.monotonic() < deadline, now
        time.sleep(0.02)
    return now


def test_without_a_broker_figures_come_from_the_database_and_admin_routes_work(
    make_settings: MakeSettings, make_job: MakeJob, change_user: ChangeUser
) -> None:
    make_job()
    dead = make_job(status="failed", failure_code="worker_lost")
    settings = make_settings(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    with LiveServer(settings) as server, server.client() as admin:
        change_user(sign_up_and_in(admin)["id"], is_admin=True)
        started = time.monotonic()
        shown = read_figures(admin)
        assert time.monotonic() - started < scaled(5)
        assert shown.pop("oldest_queued_seconds") >= 0
        assert shown == {
            "valkey": "unavailable",
            "depth": None,
            "unacked": None,
            "workers_alive": None,
            "queued_rows": 1,
            "processing_rows": 0,
            "dead_letters": 1,
        }
        replay = admin.post("/api/admin/dead-letters/replay", json={"job_ids": [str(dead.id)]})
        assert replay.json()["replayed"] == [str(dead.id)]
        assert read_figures(admin)["queued_rows"] == 2, "beat sends it when the broker is available again"
        assert admin.post(f"/api/admin/users/{dead.user_id}/disable").status_code == 200
