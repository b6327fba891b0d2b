"""A bug in the worker is reported to Sentry with its release and request id."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import transaction
from backend.infra.queue import enqueue
from backend.settings import Settings
from backend.tasks import Task
from tests.backend.infra.recorder import Recorder
from tests.backend.infra.test_sentry import items_of
from tests.conftest import MakeSettings
from tests.servers import ROOT, WorkerProcess, environment_of
from tests.worker.conftest import MakeJob


@pytest.fixture
def ingest() -> Iterator[Recorder]:
    with Recorder() as recorder:
        yield recorder


@pytest.fixture
def settings(make_settings: MakeSettings, ingest: Recorder) -> Settings:
    return make_settings(SENTRY_DSN=f"http://key@127.0.0.1:{ingest.port}/1", GIT_SHA="abc123")


def test_a_bug_in_beat_is_reported(settings: Settings, ingest: Recorder) -> None:
    command = [sys.executable, "-m", "celery", "--quiet", "-A", "tests.worker.broken_beat", "beat"]
    result = subprocess.run(
        command, cwd=ROOT, env=environment_of(settings), capture_output=True, timeout=30, check=False
    )
    assert result.returncode != 0
    [request] = ingest.wait_for(1)
    [(_kind, event)] = items_of(request)
    assert event["tags"]["process"] == "beat"
    assert event["exception"]["values"][-1]["value"] == "a bug in beat"


def test_a_bug_in_a_job_is_reported_without_personal_data(
    make_job: MakeJob, settings: Settings, sessions: sessionmaker[Session], ingest: Recorder, tmp_path: Path
) -> None:
    # No request can create such a row; it simulates a bug that occurs only in a running worker.
    job = make_job(recipe={"preset": "poster"})
    with WorkerProcess(settings, tmp_path):
        with transaction(sessions) as session:
            enqueue(session, Task.PROCESS_JOB, job.id)
        [request] = ingest.wait_for(1)
    [(_kind, event)] = [item for item in items_of(request) if item[0] == "event"]
    assert event["release"] == "abc123"
    assert event["tags"]["process"] == "worker"
    assert event["tags"]["task"] == "process_job"
    assert event["tags"]["request_id"] == job.request_id
    assert not {"user", "request", "server_name", "extra"} & event.keys()
    document: Any = json.dumps(event)
    assert "example.com" not in document
    assert job.filename not in document
