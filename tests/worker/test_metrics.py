"""Metrics of real worker and beat processes."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction, utc_now
from backend.infra.queue import Queue
from backend.jobs.failures import Failure
from backend.jobs.models import Job, JobStatus
from backend.mails.models import Mail
from backend.mails.service import queue_mail
from backend.settings import Settings
from backend.tasks import Task
from scripts.valkey import free_port
from tests.backend.infra.proxy import Proxy, target_of
from tests.conftest import MakeSettings, on_one_database
from tests.scrape import Scrape, wait_for
from tests.servers import WorkerProcess
from tests.time_limits import scaled
from tests.worker.conftest import MakeJob


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings(METRICS_PORT=free_port(), SWEEP_INTERVAL_SECONDS=1)


def send_and_wait(
    settings: Settings, job: Job, read_job: Callable[..., Job], status: JobStatus = JobStatus.COMPLETED
) -> None:
    Queue(settings).send(Task.PROCESS_JOB, str(job.id))
    deadline = time.monotonic() + scaled(20)
    while read_job(job.id).status != status:
        assert time.monotonic() < deadline, read_job(job.id).status
        time.sleep(0.05)


@on_one_database
def test_a_worker_reports_its_jobs_and_tasks(
    settings: Settings,
    tmp_path: Path,
    make_job: MakeJob,
    read_job: Callable[..., Job],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with WorkerProcess(settings, tmp_path) as worker:
        assert Scrape(settings.METRICS_PORT).value("job_phase_seconds_count", phase="upload") == 0
        send_and_wait(settings, make_job(), read_job)
        send_and_wait(settings, make_job(b"no photo"), read_job, JobStatus.FAILED)
        scrape = wait_for(
            settings.METRICS_PORT, lambda found: found.value("database_pool_connections", state="idle") >= 1
        )
        for child in psutil.Process(worker.process.pid).children():
            child.kill()
        scrape = wait_for(settings.METRICS_PORT, lambda found: found.value("database_pool_connections") == 0)
        worker.stop()
    assert not list(tmp_path.glob("metrics-*"))
    assert scrape.value("jobs_finished_total", status="completed", code="") == 1
    assert scrape.value("jobs_finished_total", status="failed", code="not_an_image") == 1
    phases = {"queued": 2, "download": 1, "pipeline": 1, "upload": 1, "total": 1}
    assert {phase: scrape.value("job_phase_seconds_count", phase=phase) for phase in phases} == phases
    seconds = {phase: scrape.value("job_phase_seconds_sum", phase=phase) for phase in phases}
    assert 0 < seconds["download"] + seconds["pipeline"] + seconds["upload"] < seconds["total"] < 30
    # The same Valkey may hold messages of other tests.
    tasks = scrape.value("celery_tasks_total", task="process_job", state="succeeded")
    assert tasks == scrape.value("celery_task_duration_seconds_count", task="process_job") >= 2
    assert scrape.value("app_info", role="worker") == 1


@on_one_database
def test_a_worker_counts_mails_and_retries(
    settings: Settings,
    tmp_path: Path,
    make_job: MakeJob,
    read_job: Callable[..., Job],
    sessions: sessionmaker[Session],
) -> None:
    job = make_job(status=JobStatus.PROCESSING, attempts=1, lease_expires_at=utc_now() - timedelta(seconds=1))
    with WorkerProcess(settings, tmp_path):
        Queue(settings).send(Task.REQUEUE_LOST_JOBS)
        with transaction(sessions) as session:
            values = {"context": {"name": "A user", "filename": "photo.jpg"}, "request_id": "test"}
            queue_mail(session, event="a", recipient="a@example.com", template="job_finished", **values)
            queue_mail(session, event="b", recipient="no address", template="job_finished", **values)
        scrape = wait_for(
            settings.METRICS_PORT,
            lambda found: found.value("mails_sent_total") == 2 and found.value("jobs_finished_total") == 1,
        )
    assert read_job(job.id).status == JobStatus.COMPLETED
    assert scrape.value("job_retries_total", code="worker_lost") == 1
    assert scrape.value("celery_tasks_total", task="requeue_lost_jobs", state="succeeded") == 1
    assert scrape.labels("mails_sent_total", "outcome") == {"sent", "failed"}


def test_beat_reports_the_queue(
    settings: Settings, tmp_path: Path, make_job: MakeJob, sessions: sessionmaker[Session]
) -> None:
    make_job(sent_at=utc_now() - timedelta(seconds=90))
    make_job(status=JobStatus.PROCESSING)
    make_job(status=JobStatus.FAILED, failure_code=Failure.WORKER_LOST)
    make_job(status=JobStatus.COMPLETED)
    with transaction(sessions) as session:
        values = {"template": "job_finished", "context": {}, "request_id": "", "recipient": "somebody@example.com"}
        session.add(Mail(event="unsent", created_at=utc_now() - timedelta(seconds=50), **values))
        session.add(Mail(event="sent", status="sent", created_at=utc_now() - timedelta(days=1), **values))
    Queue(settings).announce_worker("somewhere:1")
    with WorkerProcess(settings, tmp_path, "beat"):
        scrape = Scrape(settings.METRICS_PORT)
    assert scrape.value("metrics_database_up") == 1
    assert scrape.value("jobs_in_status", status="queued") == 1
    assert scrape.value("jobs_in_status", status="processing") == 1
    assert 90 <= scrape.value("jobs_oldest_queued_seconds") < 120
    assert scrape.value("jobs_dead_letters") == 1
    assert 50 <= scrape.value("mails_oldest_unsent_seconds") < 80
    assert scrape.value("workers_alive") >= 1
    assert scrape.value("app_info", role="beat") == 1


@on_one_database
def test_beat_reports_its_last_tick_and_an_empty_queue(settings: Settings, tmp_path: Path) -> None:
    with WorkerProcess(settings, tmp_path, "beat"):
        scrape = wait_for(settings.METRICS_PORT, lambda found: found.value("beat_last_tick_timestamp_seconds") > 0)
    assert abs(time.time() - scrape.value("beat_last_tick_timestamp_seconds")) < 10
    empty = ("jobs_oldest_queued_seconds", "mails_oldest_unsent_seconds", "jobs_dead_letters", "jobs_in_status")
    assert [scrape.value(name) for name in empty] == [0, 0, 0, 0]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_scrape_succeeds_while_the_database_is_unavailable(make_settings: MakeSettings, tmp_path: Path) -> None:
    direct = make_settings().DATABASE_URL.get_secret_value()
    with Proxy(target_of(direct)) as proxy:
        through = make_url(direct).set(host="127.0.0.1", port=proxy.port, query={})
        url = through.render_as_string(hide_password=False)
        settings = make_settings(DATABASE_URL=url, METRICS_PORT=free_port())
        with WorkerProcess(settings, tmp_path, "beat"):
            assert Scrape(settings.METRICS_PORT).value("metrics_database_up") == 1
            proxy.freeze()
            started = time.monotonic()
            scrape = wait_for(settings.METRICS_PORT, lambda found: found.value("metrics_database_up") == 0)
            assert time.monotonic() - started < scaled(12)
            assert scrape.value("beat_last_tick_timestamp_seconds") > 0
            assert "jobs_in_status" not in scrape.names()
            proxy.cut()
            wait_for(settings.METRICS_PORT, lambda found: found.value("metrics_database_up") == 1)


@on_one_database
def test_worker_and_beat_exit_when_their_port_is_in_use(settings: Settings, tmp_path: Path) -> None:
    with WorkerProcess(settings, tmp_path, "beat"):
        for role in ("worker", "beat"):
            second = WorkerProcess(settings, tmp_path, role)
            assert second.process.wait(scaled(20)) == 1
            message = f"METRICS_PORT: port {settings.METRICS_PORT} can't be used: Address already in use"
            assert message in second.log.read_text()


@on_one_database
def test_nothing_is_measured_by_default(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    with WorkerProcess(make_settings(), tmp_path) as worker:
        process = psutil.Process(worker.process.pid)
        assert [found for found in process.net_connections("tcp") if found.status == psutil.CONN_LISTEN] == []
        assert list(folder.glob("metrics-*")) == []
