"""scripts/smoke against a real web and worker process: a complete run, and messages for missing parts."""

import json
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.jobs.models import Job
from backend.settings import Settings
from tests.backend.conftest import BUCKET, S3_SECRET
from tests.conftest import MakeSettings
from tests.scripts.smoke.site import ALL, PARTNER, PASSWORD, SHA, Smoke, fake_site
from tests.servers import LiveServer, WorkerProcess
from tests.time_limits import scaled


@pytest.mark.usefixtures("worker")
def test_a_run_with_a_new_account_passes_and_leaves_no_data(
    server: LiveServer, smoke: Smoke, sessions: sessionmaker[Session]
) -> None:
    result = smoke(server.url, "--expect-sha", SHA[:12], "--origin", PARTNER)
    assert result.status == 0, result.out
    assert result.steps == dict.fromkeys([*ALL, "close"], "ok")
    assert SHA in result.line("version")
    assert "completed, 2 files" in result.line("event")
    assert result.out.splitlines()[-1].startswith(f"smoke: {server.url} passed, ")
    with sessions() as session:
        users = session.scalars(select(User)).all()
        assert all(user.deleted_at is not None for user in users)
        assert all(job.deleted_at is not None for job in session.scalars(select(Job)))


@pytest.mark.usefixtures("worker")
def test_a_run_with_a_given_account_deletes_only_its_own_job(
    server: LiveServer, smoke: Smoke, account: dict[str, str], client: httpx.Client, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    result = smoke(server.url, SMOKE_EMAIL=account["SMOKE_EMAIL"], SMOKE_PASSWORD_FILE=str(secret))
    assert result.status == 0, result.out
    assert result.steps == dict.fromkeys([*[name for name in ALL if name != "sign-up"], "sign-out"], "ok")
    credentials = {"email": account["SMOKE_EMAIL"], "password": PASSWORD}
    assert client.post("/api/session", json=credentials).status_code == 200
    assert client.get("/api/jobs").json()["items"] == []


def test_photos_are_uploaded_to_a_bucket_as_browsers_do(
    make_settings: MakeSettings, settings: Settings, smoke: Smoke, moto_port: int, tmp_path: Path
) -> None:
    bucket = {"S3_ENDPOINT_URL": f"http://127.0.0.1:{moto_port}", "S3_BUCKET": BUCKET, "S3_ADDRESSING_STYLE": "path"}
    keys = {"S3_ACCESS_KEY_ID": "AKIAKEY", "S3_SECRET_ACCESS_KEY": S3_SECRET}
    outside = make_settings(FRONTEND_DIR=settings.FRONTEND_DIR, **bucket, **keys)
    with LiveServer(outside) as server, WorkerProcess(outside, tmp_path) as worker:
        result = smoke(server.url)
        # billiard waits 30 s for a result that arrives while the pool stops.
        worker.kill()
    assert result.status == 0, result.out
    assert f"bytes to http://127.0.0.1:{moto_port}" in result.line("upload")
    assert S3_SECRET not in result.out


@pytest.mark.usefixtures("no_worker")
def test_json_is_one_document(server: LiveServer, smoke: Smoke) -> None:
    result = smoke(server.url, "--json", "--timeout", "1")
    document = json.loads(result.out)
    assert document["url"] == server.url
    assert document["ok"] is False
    assert result.status == 1
    assert [step["name"] for step in document["steps"]] == [*ALL, "clean-up", "close"]
    assert {step["status"] for step in document["steps"]} == {"ok", "failed", "skipped"}
    assert all(set(step) == {"name", "status", "ms", "message"} for step in document["steps"])
    event = next(step for step in document["steps"] if step["name"] == "event")
    assert 1000 <= event["ms"] < 5000


@pytest.mark.usefixtures("no_worker")
def test_without_a_worker_it_fails_in_time_and_names_the_worker(
    server: LiveServer, smoke: Smoke, sessions: sessionmaker[Session]
) -> None:
    result = smoke(server.url, "--timeout", "1")
    assert result.status == 1
    failed = {name: word for name, word in result.steps.items() if word != "ok"}
    assert failed == {"health": "FAIL", "event": "FAIL", "download": "skip", "delete": "skip"}
    assert "worker is unavailable, look at the worker process" in result.line("health")
    assert "still queued after 1 s: no worker started it; look at the worker process" in result.line("event")
    assert result.out.splitlines()[-1].startswith(f"smoke: {server.url} FAILED: health, event, ")
    with sessions() as session:
        assert all(user.deleted_at is not None for user in session.scalars(select(User)))


def test_another_release_fails_after_the_wait(server: LiveServer, smoke: Smoke) -> None:
    started = time.monotonic()
    result = smoke(server.url, "--expect-sha", "fedcba9876543210", "--settle", "1.5")
    assert 1 <= time.monotonic() - started < scaled(5)
    assert result.status == 1
    assert result.steps == {"version": "FAIL"} | dict.fromkeys(ALL[1:], "skip")
    assert f"Expected release fedcba9876543210, after 1.5 s {SHA} runs" in result.line("version")


def test_a_release_that_starts_late_passes(smoke: Smoke) -> None:
    responses = iter(["fedcba9876", SHA, SHA, "fedcba9876"])
    with fake_site({"/api/version": lambda: {"git_sha": next(responses, SHA)}}) as url:
        result = smoke(url, "--expect-sha", SHA, "--settle", "5")
    assert result.steps["version"] == "ok"
