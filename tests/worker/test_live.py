"""/health/live of real worker and beat processes: 200 while their loops run, 503 when they are stuck."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from backend.infra.queue import Queue
from backend.jobs.models import Job, JobStatus
from backend.settings import Settings
from backend.tasks import Task
from scripts.valkey import free_port
from tests.conftest import MakeSettings, on_one_database
from tests.photos import make_noise
from tests.servers import WorkerProcess
from tests.time_limits import scaled
from tests.worker.conftest import MakeJob
from worker.heartbeat_file import SILENT_SECONDS

pytestmark = on_one_database

ROLES = pytest.mark.parametrize("role", ["worker", "beat"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "heartbeat"


@pytest.fixture
def settings(make_settings: MakeSettings, file: Path) -> Settings:
    return make_settings(METRICS_PORT=free_port(), HEARTBEAT_FILE=str(file))


def live(settings: Settings) -> int:
    return httpx.get(f"http://127.0.0.1:{settings.METRICS_PORT}/health/live", timeout=scaled(5)).status_code


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + scaled(seconds)
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def grow_old(file: Path, seconds: float = SILENT_SECONDS + 5) -> None:
    """Set the file's modification time back."""
    then = time.time() - seconds
    os.utime(file, (then, then))


@contextmanager
def halted(processes: list[psutil.Process]) -> Iterator[None]:
    """Suspend processes for the block, as if they were busy."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@ROLES
def test_a_process_is_live_while_its_heartbeat_is_fresh(
    settings: Settings, tmp_path: Path, file: Path, role: str
) -> None:
    with WorkerProcess(settings, tmp_path, role) as process:
        assert live(settings) == 200
        grow_old(file)
        assert live(settings) == 503
        assert "heartbeat_stale" in process.log.read_text()
        # The next iteration of the loop.
        wait_until(lambda: live(settings) == 200)
        grow_old(file, SILENT_SECONDS - 5)
        assert live(settings) == 200


@ROLES
def test_a_process_whose_heartbeat_file_was_deleted_is_not_live(
    settings: Settings, tmp_path: Path, file: Path, role: str
) -> None:
    def is_missed() -> bool:
        # The loop may create the file again just before the check.
        file.unlink(missing_ok=True)
        return live(settings) == 503

    with WorkerProcess(settings, tmp_path, role):
        wait_until(is_missed)


@ROLES
def test_without_a_heartbeat_file_the_log_names_the_missing_setting(
    make_settings: MakeSettings, tmp_path: Path, role: str
) -> None:
    settings = make_settings(METRICS_PORT=free_port())
    with WorkerProcess(settings, tmp_path, role) as process:
        assert live(settings) == 503
        assert "set HEARTBEAT_FILE" in process.log.read_text()


@ROLES
def test_a_stuck_loop_is_detected_while_threads_continue(
    settings: Settings, tmp_path: Path, file: Path, role: str
) -> None:
    process = WorkerProcess(settings, tmp_path, role, app="tests.worker.sticky_app").__enter__()
    assert live(settings) == 200
    process.process.send_signal(signal.SIGRTMIN)
    grow_old(file)
    # Longer than the interval between two heartbeats.
    for _ in range(7):
        time.sleep(1)
        assert live(settings) == 503
    process.kill()


def test_a_worker_whose_processes_are_busy_is_live(
    settings: Settings, tmp_path: Path, file: Path, make_job: MakeJob, read_job: Callable[..., Job]
) -> None:
    with WorkerProcess(settings, tmp_path) as worker:
        job = start_job(settings, make_job, read_job)
        with halted(psutil.Process(worker.process.pid).children()):
            grow_old(file)
            wait_until(lambda: live(settings) == 200)
            assert read_job(job.id).status == JobStatus.PROCESSING


def test_a_worker_that_finishes_its_last_job_is_live(
    settings: Settings, tmp_path: Path, file: Path, make_job: MakeJob, read_job: Callable[..., Job]
) -> None:
    with WorkerProcess(settings, tmp_path) as worker:
        job = start_job(settings, make_job, read_job)
        with halted(psutil.Process(worker.process.pid).children()):
            worker.process.send_signal(signal.SIGTERM)
            time.sleep(2)
            grow_old(file)
            wait_until(lambda: live(settings) == 200)
            assert worker.process.poll() is None
        worker.process.wait(scaled(30))
    assert read_job(job.id).status == JobStatus.COMPLETED


def start_job(settings: Settings, make_job: MakeJob, read_job: Callable[..., Job]) -> Job:
    job = make_job(make_noise(3000, 2000))
    Queue(settings).send(Task.PROCESS_JOB, str(job.id))
    wait_until(lambda: read_job(job.id).status == JobStatus.PROCESSING)
    return job
