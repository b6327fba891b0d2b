"""`make run`: one command starts everything, prints the address, and stops everything on Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from backend.commands.create_demo import DEMO_EMAIL, DEMO_PASSWORD
from tests.actions import create_job, send_photo, wait_for_job
from tests.servers import ROOT
from tests.time_limits import scaled

ADDRESS = re.compile(r"runs at (http://127\.0\.0\.1:(\d+)) ")
COMMAND = [sys.executable, "-m", "scripts.run"]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def environment(folder: Path, **values: str) -> dict[str, str]:
    own = {
        "ENVIRONMENT": "development",
        "DATABASE_URL": f"sqlite:///{folder}/data/slipway.db",
        "DATA_DIR": str(folder / "data"),
        "C_FORCE_ROOT": "1",
        # A test polls a job more often than a user does.
        "RATE_LIMIT_PER_MINUTE": "2000",
    }
    return {**os.environ, **own, **values}


def wait_for_line(log: Path, pattern: re.Pattern[str], process: subprocess.Popen[bytes]) -> re.Match[str]:
    deadline = time.monotonic() + scaled(60)
    while True:
        found = pattern.search(log.read_text())
        if found:
            return found
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def processes_of_session(session: int) -> list[int]:
    found = []
    for pid in psutil.pids():
        with suppress(ProcessLookupError):
            if os.getsid(pid) == session:
                found.append(pid)
    return found


def test_one_command_runs_the_main_job_and_ctrl_c_stops_everything(
    tmp_path: Path, taken_port: int, photo: bytes
) -> None:
    log = tmp_path / "run.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            COMMAND,
            cwd=ROOT,
            env=environment(tmp_path, PORT=str(taken_port)),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        address, port = wait_for_line(log, ADDRESS, process).groups()
        assert int(port) != taken_port
        assert f"port {taken_port} is in use, using {port}" in log.read_text()
        with httpx.Client(base_url=address, timeout=scaled(10)) as client:
            credentials = {"email": DEMO_EMAIL, "password": DEMO_PASSWORD}
            assert client.post("/api/session", json=credentials).status_code == 200
            job = wait_for_job(client, create_job(client, send_photo(client, photo))["id"])
            assert job["status"] == "completed"
            assert set(client.get("/health").json()["checks"].values()) == {"ok"}
            assert "<title>" in client.get("/").text
        started = [int(pid) for pid in re.findall(r"started \(pid=(\d+)\)", log.read_text())]
        assert len(started) == 3
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(scaled(20))
    assert code == 0, log.read_text()
    for pid in started:
        assert processes_of_session(pid) == []
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)


def test_invalid_settings_are_reported_before_anything_starts(tmp_path: Path) -> None:
    result = subprocess.run(
        COMMAND, cwd=ROOT, env=environment(tmp_path, PORT="many"), capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "PORT" in result.stderr
    assert "Traceback" not in result.stderr
    assert "many" not in result.stderr


def test_run_is_only_for_development(tmp_path: Path) -> None:
    result = subprocess.run(
        COMMAND, cwd=ROOT, env=environment(tmp_path, ENVIRONMENT="test"), capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "unset ENVIRONMENT" in result.stderr
