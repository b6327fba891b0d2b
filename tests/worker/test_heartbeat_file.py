"""The heartbeat file of real worker and beat processes under failures; test_live.py tests stuck loops."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.valkey import embedded_valkey, free_port
from tests.conftest import MakeSettings, on_one_database
from tests.servers import ROOT, WorkerProcess
from tests.time_limits import scaled

pytestmark = on_one_database

# Twice the interval between two heartbeats.
FRESH_SECONDS = 10


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + scaled(seconds)
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def age(file: Path) -> float:
    return time.time() - file.stat().st_mtime


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "heartbeat"


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_a_process_that_waits_for_valkey_does_not_count_as_stuck(
    make_settings: MakeSettings, tmp_path: Path, file: Path, role: str
) -> None:
    port = free_port()
    settings = make_settings(
        HEARTBEAT_FILE=str(file), REDIS_URL=f"redis://127.0.0.1:{port}/0", SWEEP_INTERVAL_SECONDS=1
    )
    with embedded_valkey(port):
        process = WorkerProcess(settings, tmp_path, role).__enter__()
    with process:
        for _ in range(FRESH_SECONDS + 1):
            assert age(file) < FRESH_SECONDS
            time.sleep(1)
        with embedded_valkey(port):
            wait_until(lambda: age(file) < 1)


@pytest.mark.parametrize("role", ["worker", "beat"])
def test_a_heartbeat_file_that_cannot_be_written_ends_the_process_at_startup(
    make_settings: MakeSettings, tmp_path: Path, role: str
) -> None:
    process = WorkerProcess(make_settings(HEARTBEAT_FILE="/proc/heartbeat"), tmp_path, role)
    assert process.process.wait(scaled(20)) == 1
    assert "HEARTBEAT_FILE: /proc/heartbeat can't be written" in process.log.read_text()


def test_beat_writes_no_file_to_its_folder(make_settings: MakeSettings, tmp_path: Path) -> None:
    before = set(ROOT.glob("celerybeat*"))
    with WorkerProcess(make_settings(SWEEP_INTERVAL_SECONDS=0.2), tmp_path, "beat"):
        time.sleep(1)
    assert set(ROOT.glob("celerybeat*")) == before
