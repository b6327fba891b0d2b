"""Metrics of the web process as in production: gunicorn, two workers, one metrics port."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from backend.main import create_app
from backend.settings import Settings
from backend.web.metrics import HttpMetrics
from backend.web.middleware import RequestContext
from scripts.valkey import free_port
from tests.actions import PASSWORD, create_job, send_photo, sign_up_and_in
from tests.conftest import MakeSettings, on_one_database
from tests.scrape import Scrape, wait_for
from tests.servers import ROOT, environment_of, procfile_command, web_process
from tests.time_limits import scaled

pytestmark = on_one_database


@pytest.fixture
def settings(make_settings: MakeSettings, tmp_path: Path) -> Settings:
    frontend = tmp_path / "frontend"
    frontend.mkdir()
    (frontend / "index.html").write_text("<title>Slipway</title>")
    return make_settings(PORT=free_port(), METRICS_PORT=free_port(), WEB_CONCURRENCY=2, FRONTEND_DIR=frontend)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the processes' folder for temporary files."""
    path = tmp_path / "temporary"
    path.mkdir()
    monkeypatch.setenv("TMPDIR", str(path))
    return path


@pytest.fixture
def web(settings: Settings, folder: Path, tmp_path: Path) -> Iterator[psutil.Process]:
    with web_process(settings, tmp_path / "web.log") as process:
        yield psutil.Process(process.pid)


def send(settings: Settings, path: str = "/api/version", times: int = 1, method: str = "GET") -> int:
    """Send requests over separate connections, so that both workers get some, and return the last status."""
    url, headers = f"http://127.0.0.1:{settings.PORT}{path}", {"Accept": "text/html"}
    responses = [httpx.request(method, url, headers=headers) for _ in range(times)]
    return responses[-1].status_code


@pytest.mark.usefixtures("web")
def test_requests_to_all_workers_add_up(settings: Settings) -> None:
    send(settings, times=40)
    labels = {"method": "GET", "route": "/api/version"}
    scrape = Scrape(settings.METRICS_PORT)
    assert scrape.value("http_requests_total", **labels, status="200") == 40
    assert scrape.value("http_request_duration_seconds_count", **labels) == 40
    assert scrape.value("http_request_duration_seconds_bucket", **labels, le="+Inf") == 40
    assert scrape.value("app_info", role="web", git_sha="development") == 1
    assert wait_for(settings.METRICS_PORT, lambda found: found.value("http_requests_in_progress") == 0)


def test_counts_remain_after_a_worker_is_killed(settings: Settings, web: psutil.Process, folder: Path) -> None:
    send(settings, times=30)
    killed = web.children()
    for worker in killed:
        worker.send_signal(signal.SIGKILL)
        worker.wait(scaled(10))
    deadline = time.monotonic() + scaled(20)
    while len([child for child in web.children() if child.status() != psutil.STATUS_ZOMBIE]) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    send(settings, times=5)
    assert Scrape(settings.METRICS_PORT).value("http_requests_total", route="/api/version", status="200") == 35
    gauges = {path.stem.rpartition("_")[2] for path in folder.glob("metrics-*/gauge_*.db")}
    assert gauges.isdisjoint(str(worker.pid) for worker in killed)


def test_requests_of_a_killed_worker_are_not_in_progress_any_more(settings: Settings, web: psutil.Process) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{settings.PORT}", timeout=scaled(30)) as user:
        sign_up_and_in(user)
        with user.stream("GET", "/api/jobs/events") as response:
            assert response.status_code == 200
            scrape = wait_for(settings.METRICS_PORT, lambda found: found.value("http_streams_open") == 1)
            assert scrape.value("http_requests_in_progress") == 0
            for worker in web.children():
                worker.send_signal(signal.SIGKILL)
    scrape = wait_for(settings.METRICS_PORT, lambda found: found.value("http_streams_open") == 0)
    assert scrape.value("http_requests_total", route="/api/jobs/events") == 1
    assert scrape.value("http_request_duration_seconds_count", route="/api/jobs/events") == 0


@pytest.mark.usefixtures("web")
def test_callers_can_not_create_label_values(settings: Settings) -> None:
    for number in range(30):
        assert send(settings, f"/api/made-up/{number}", method="POST") in (404, 405)
        send(settings, f"/api/jobs/{number}")
        send(settings, f"/page/{number}")
        # The server itself refuses unknown methods, so use known ones.
        send(settings, method=("PROPFIND", "PURGE", "REPORT", "TRACE")[number % 4])
    scrape = Scrape(settings.METRICS_PORT)
    routes = scrape.labels("http_requests_total", "route")
    assert routes <= {"/api/jobs/{job_id}", "/api/version", "/health/ready", "frontend", "unmatched"}
    assert scrape.labels("http_requests_total", "method") == {"GET", "POST", "other"}
    assert scrape.value("http_requests_total", route="frontend") == 30
    assert scrape.value("http_requests_total", method="other") == 30
    assert len(scrape.samples) < 200


@pytest.mark.usefixtures("web")
def test_refusals_jobs_and_connections_are_counted(settings: Settings, photo: bytes) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{settings.PORT}", timeout=scaled(10)) as user:
        sign_up_and_in(user)
        create_job(user, send_photo(user, photo))
    scrape = wait_for(settings.METRICS_PORT, lambda found: found.value("database_pool_connections", state="idle") >= 1)
    assert scrape.value("jobs_created_total") == 1
    assert scrape.value("database_pool_connections") <= 2 * settings.DATABASE_POOL_SIZE
    assert scrape.value("rate_limit_refusals_total") == 0
    assert {"rate_limit_in_memory", "publish_failures_total", "database_pool_timeouts_total"} <= scrape.names()


def test_refused_requests_and_an_unavailable_valkey_are_counted(make_settings: MakeSettings, tmp_path: Path) -> None:
    settings = make_settings(
        PORT=free_port(),
        METRICS_PORT=free_port(),
        WEB_CONCURRENCY=1,
        RATE_LIMIT_PER_MINUTE=3,
        AUTH_RATE_LIMIT_PER_MINUTE=1,
        REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
    )
    with web_process(settings, tmp_path / "web.log"):
        body = {"email": "user@example.com", "password": PASSWORD, "name": "User"}
        statuses = [httpx.post(f"http://127.0.0.1:{settings.PORT}/api/accounts", json=body).status_code for _ in "ab"]
        assert statuses == [201, 429]
        assert send(settings, times=3) == 429
        scrape = wait_for(settings.METRICS_PORT, lambda found: found.value("rate_limit_in_memory") == 1)
        assert scrape.value("rate_limit_refusals_total", limit="attempts") == 1
        assert scrape.value("rate_limit_refusals_total", limit="requests") >= 1
        assert scrape.value("enqueue_failures_total", task="send_mail") == 1


def test_a_used_port_stops_the_process_with_an_error_about_the_setting(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", settings.METRICS_PORT))
        taken.listen()
        result = subprocess.run(
            procfile_command("web"),
            cwd=ROOT,
            env=environment_of(settings),
            capture_output=True,
            text=True,
            timeout=scaled(60),
            check=False,
        )
    assert result.returncode == 1
    assert f"METRICS_PORT: port {settings.METRICS_PORT} can't be used: Address already in use" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_metrics_port_serves_only_metrics_and_its_files_are_removed(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    with web_process(settings, tmp_path / "web.log"):
        assert httpx.get(f"http://127.0.0.1:{settings.METRICS_PORT}/").status_code == 404
        assert send(settings, "/metrics") == 200
        assert "http_requests_total" not in httpx.get(f"http://127.0.0.1:{settings.PORT}/metrics").text
    assert list(folder.glob("metrics-*")) == []


def test_an_application_has_no_metrics_by_default(make_settings: MakeSettings) -> None:
    middleware = [added.cls for added in create_app(make_settings()).user_middleware]
    assert RequestContext in middleware
    assert HttpMetrics not in middleware
