"""Real worker processes are killed and the broker is stopped: no accepted job is lost."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.settings import Settings
from scripts.valkey import embedded_valkey, free_port
from tests.actions import create_job, send_photo, sign_up_and_in, wait_for_job
from tests.conftest import MakeSettings
from tests.photos import make_noise
from tests.servers import LiveServer, WorkerProcess
from tests.time_limits import scaled

# Takes long enough to interrupt it.
SLOW_PHOTO = make_noise(3000, 2000)


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """Use short intervals, so that lost jobs are found within seconds."""
    return make_settings(JOB_LEASE_SECONDS=2, JOB_REQUEUE_AFTER_SECONDS=1, SWEEP_INTERVAL_SECONDS=1)


@pytest.fixture
def beat(settings: Settings, tmp_path: Path) -> Iterator[WorkerProcess]:
    with WorkerProcess(settings, tmp_path, "beat") as beat:
        yield beat


@pytest.mark.usefixtures("beat")
def test_a_job_survives_kill_9_of_its_worker(user: httpx.Client, settings: Settings, tmp_path: Path) -> None:
    doomed = WorkerProcess(settings, tmp_path).__enter__()
    job = create_job(user, send_photo(user, SLOW_PHOTO), enhance=True)
    wait_for_job(user, job["id"], "processing")
    doomed.kill()
    assert user.get(f"/api/jobs/{job['id']}").json()["status"] == "processing"
    with WorkerProcess(settings, tmp_path):
        done = wait_for_job(user, job["id"])
    assert done["status"] == "completed"
    assert done["attempts"] == 2
    assert len(done["results"]) == 4


def test_a_stopping_worker_finishes_its_job(user: httpx.Client, settings: Settings, tmp_path: Path) -> None:
    with WorkerProcess(settings, tmp_path) as worker:
        job = create_job(user, send_photo(user, SLOW_PHOTO), enhance=True)
        wait_for_job(user, job["id"], "processing")
        worker.stop()
    done = user.get(f"/api/jobs/{job['id']}").json()
    assert done["status"] == "completed"
    assert done["attempts"] == 1


def test_a_cancelled_running_job_stops(user: httpx.Client, worker: WorkerProcess) -> None:
    job = create_job(user, send_photo(user, SLOW_PHOTO), enhance=True)
    wait_for_job(user, job["id"], "processing")
    assert user.post(f"/api/jobs/{job['id']}/cancel").json()["status"] == "cancelled"
    deadline = time.monotonic() + scaled(15)
    while "job_lease_lost" not in worker.log.read_text():
        assert time.monotonic() < deadline, worker.log.read_text()
        time.sleep(0.1)
    assert user.get(f"/api/jobs/{job['id']}").json()["status"] == "cancelled"


def test_jobs_are_accepted_while_valkey_is_down_and_processed_when_it_is_back(
    make_settings: MakeSettings, tmp_path: Path, photo: bytes
) -> None:
    port = free_port()
    settings = make_settings(
        REDIS_URL=f"redis://127.0.0.1:{port}/0", JOB_REQUEUE_AFTER_SECONDS=1, SWEEP_INTERVAL_SECONDS=1
    )
    with LiveServer(settings) as server, server.client() as user:
        sign_up_and_in(user)
        jobs = []
        for _ in range(3):
            upload_id = send_photo(user, photo)
            started = time.monotonic()
            jobs.append(create_job(user, upload_id))
            assert time.monotonic() - started < scaled(3)
        assert user.get("/health").json()["status"] == "degraded"
        with embedded_valkey(port), WorkerProcess(settings, tmp_path), WorkerProcess(settings, tmp_path, "beat"):
            assert {wait_for_job(user, job["id"])["status"] for job in jobs} == {"completed"}


def test_worker_and_beat_survive_a_restart_of_valkey(make_settings: MakeSettings, tmp_path: Path, photo: bytes) -> None:
    port = free_port()
    settings = make_settings(
        REDIS_URL=f"redis://127.0.0.1:{port}/0", JOB_REQUEUE_AFTER_SECONDS=1, SWEEP_INTERVAL_SECONDS=1
    )
    with LiveServer(settings) as server, server.client() as user:
        sign_up_and_in(user)
        with embedded_valkey(port):
            worker = WorkerProcess(settings, tmp_path).__enter__()
            beat = WorkerProcess(settings, tmp_path, "beat").__enter__()
            wait_for_job(user, create_job(user, send_photo(user, photo))["id"])
        with worker, beat:
            meanwhile = create_job(user, send_photo(user, photo))
            with embedded_valkey(port):
                assert wait_for_job(user, meanwhile["id"], seconds=60)["status"] == "completed"
                worker.process.send_signal(signal.SIGTERM)
                worker.process.wait(scaled(30))


def test_the_request_id_follows_a_job_into_the_workers_log(
    user: httpx.Client, worker: WorkerProcess, photo: bytes
) -> None:
    upload_id = send_photo(user, photo)
    response = user.post(
        "/api/jobs",
        json={"upload_id": upload_id, "recipe": {"preset": "web"}},
        headers={"X-Request-ID": "walk-of-one-job"},
    )
    job_id = response.json()["id"]
    wait_for_job(user, job_id)
    # The job is completed before its log line is written. A worker of an earlier test may have left a message, which
    # is logged too.
    deadline = time.monotonic() + scaled(10)
    lines: list[str] = []
    while len(lines) < 2:
        assert time.monotonic() < deadline, lines
        ended = worker.log.read_text().rpartition("\n")[0]
        lines = [line for line in ended.splitlines() if "job_" in line and job_id in line]
    assert all("walk-of-one-job" in line for line in lines)
