"""The web process as production starts it: gunicorn, forked workers, and a clean end under open streams."""

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.valkey import free_port
from tests.actions import sign_up_and_in
from tests.conftest import MakeSettings
from tests.servers import ROOT, environment_of, procfile_command


@pytest.fixture
def web(make_settings: MakeSettings, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    settings = make_settings(PORT=free_port(), WEB_CONCURRENCY=2)
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            procfile_command("web"), cwd=ROOT, env=environment_of(settings), stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{settings.PORT}"
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{url}/health/ready").raise_for_status()
            break
        except httpx.HTTPError:
            assert time.monotonic() < deadline, (tmp_path / "web.log").read_text()
            time.sleep(0.05)
    yield process, url
    # Not killed: the master takes its workers along only when it may.
    process.terminate()
    process.wait(40)


def test_a_stop_ends_open_streams_and_the_process_within_seconds(web: tuple[subprocess.Popen[bytes], str]) -> None:
    process, url = web
    endings: list[str] = []
    connected = threading.Semaphore(0)

    def listen(client: httpx.Client) -> None:
        with client.stream("GET", "/api/jobs/events", timeout=30) as answer:
            connected.release()
            for _line in answer.iter_lines():
                pass
        endings.append("clean")

    with httpx.Client(base_url=url) as client:
        sign_up_and_in(client)
        threads = [threading.Thread(target=listen, args=(client,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert all(connected.acquire(timeout=5) for _ in threads)
        started = time.monotonic()
        process.terminate()
        assert process.wait(10) == 0
        for thread in threads:
            thread.join(5)
    assert time.monotonic() - started < 5
    assert endings == ["clean"] * 4


def test_requests_are_served_by_processes_that_share_one_port(web: tuple[subprocess.Popen[bytes], str]) -> None:
    _process, url = web
    answers = [httpx.get(f"{url}/api/version") for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200}
    assert all("server" not in answer.headers for answer in answers)
