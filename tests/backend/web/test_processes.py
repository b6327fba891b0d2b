"""The web process as in production: gunicorn, forked workers, and a clean stop with open streams."""

import contextlib
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from scripts.valkey import free_port
from tests.actions import sign_up_and_in
from tests.conftest import MakeSettings, on_one_database
from tests.servers import procfile_command, web_process
from tests.time_limits import scaled


@pytest.fixture
def web(make_settings: MakeSettings, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    settings = make_settings(PORT=free_port(), WEB_CONCURRENCY=2)
    with web_process(settings, tmp_path / "web.log") as process:
        yield process, f"http://127.0.0.1:{settings.PORT}"


def test_sigterm_ends_open_streams_and_the_process_within_seconds(web: tuple[subprocess.Popen[bytes], str]) -> None:
    process, url = web
    endings: list[str] = []
    connected = threading.Semaphore(0)

    def listen(client: httpx.Client) -> None:
        with client.stream("GET", "/api/jobs/events", timeout=scaled(30)) as response:
            connected.release()
            for _line in response.iter_lines():
                pass
        endings.append("clean")

    with httpx.Client(base_url=url) as client:
        sign_up_and_in(client)
        threads = [threading.Thread(target=listen, args=(client,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert all(connected.acquire(timeout=scaled(5)) for _ in threads)
        started = time.monotonic()
        process.terminate()
        assert process.wait(scaled(10)) == 0
        for thread in threads:
            thread.join(scaled(5))
    assert time.monotonic() - started < scaled(5)
    assert endings == ["clean"] * 4


@on_one_database
def test_workers_are_not_replaced_after_many_requests(make_settings: MakeSettings, tmp_path: Path) -> None:
    """A worker that stops after max_requests waits for its streams, which do not end, and serves no other requests.

    The test divides production's limit, if any, by 1000, so that 120 requests are enough.
    """
    config = tmp_path / "gunicorn_config.py"
    config.write_text(
        "from backend.web.gunicorn_config import *\n"
        "max_requests, max_requests_jitter = globals().get('max_requests', 0) // 1000, 0\n"
    )
    settings = make_settings(PORT=free_port(), WEB_CONCURRENCY=2)
    command = [word.replace("backend/web/gunicorn_config.py", str(config)) for word in procfile_command("web")]
    with (
        web_process(settings, tmp_path / "web.log", command) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{settings.PORT}", verify=False) as client,
        contextlib.ExitStack() as streams,
    ):
        sign_up_and_in(client)
        for _ in range(4):
            streams.enter_context(client.stream("GET", "/api/jobs/events", timeout=scaled(30)))
        workers = psutil.Process(process.pid).children()
        # Use separate connections, so that both workers get some requests.
        statuses = [client.get("/api/version", headers={"Connection": "close"}).status_code for _ in range(120)]
        assert statuses == [200] * 120
        assert psutil.Process(process.pid).children() == workers


def test_processes_share_one_port_and_send_no_server_header(web: tuple[subprocess.Popen[bytes], str]) -> None:
    _process, url = web
    responses = [httpx.get(f"{url}/api/version") for _ in range(8)]
    assert {response.status_code for response in responses} == {200}
    assert all("server" not in response.headers for response in responses)
