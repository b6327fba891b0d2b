"""`python -m backend`: requeue, openapi, create-demo, migrate, and their errors."""

import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.commands.create_demo import DEMO_EMAIL
from backend.infra.db import new_id, transaction, utc_now
from backend.infra.queue import Queue
from backend.jobs.models import Job, Upload
from backend.settings import Settings, load_settings
from backend.tasks import JOBS_QUEUE
from tests.servers import ROOT, environment_of
from tests.time_limits import scaled


def run(settings: Settings, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backend", *command],
        cwd=ROOT,
        env=environment_of(settings) | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(60),
    )


@pytest.fixture
def dead_letters(sessions: sessionmaker[Session]) -> list[UUID]:
    """Create three dead letters and return their ids."""
    with transaction(sessions) as session:
        user = User(email=f"{uuid4().hex}@example.org", name="A", password_hash="x")
        session.add(user)
        session.flush()
        return [add_job(session, user.id, "worker_lost") for _ in range(3)]


def add_job(session: Session, user_id: UUID, failure_code: str) -> UUID:
    upload = Upload(
        id=new_id(),
        user_id=user_id,
        key=f"originals/{uuid4().hex}",
        filename="photo.jpg",
        content_type="image/jpeg",
        size=10,
        expires_at=utc_now(),
    )
    session.add(upload)
    session.flush()
    job = Job(
        user_id=user_id,
        upload_id=upload.id,
        request_id="x",
        status="failed",
        failure_code=failure_code,
        recipe={},
        original_key=upload.key,
        filename=upload.filename,
        content_type=upload.content_type,
        size=upload.size,
        attempts=5,
        attempt_limit=5,
        finished_at=utc_now(),
    )
    session.add(job)
    session.flush()
    return job.id


def statuses(engine: Engine) -> dict[UUID, str]:
    with Session(engine) as session:
        return {job_id: status for job_id, status in session.execute(select(Job.id, Job.status))}  # noqa: C416


@pytest.fixture
def empty_queue(settings: Settings) -> Queue:
    queue = Queue(settings)
    queue.redis.delete(JOBS_QUEUE)
    return queue


def test_requeue_lists_dead_letters_and_changes_nothing(
    settings: Settings, engine: Engine, dead_letters: list[UUID], empty_queue: Queue
) -> None:
    result = run(settings, "requeue")
    assert result.returncode == 0, result.stderr
    for job_id in dead_letters:
        assert f"{job_id}  worker_lost  attempts 5  photo.jpg" in result.stdout
    assert "3 dead letter(s)" in result.stdout
    assert set(statuses(engine).values()) == {"failed"}
    assert empty_queue.depth() == 0


def test_requeue_requeues_the_given_job(
    settings: Settings, engine: Engine, dead_letters: list[UUID], empty_queue: Queue
) -> None:
    result = run(settings, "requeue", str(dead_letters[1]))
    assert result.returncode == 0, result.stderr
    assert f"{dead_letters[1]}  queued again" in result.stdout
    assert sorted(statuses(engine).values()) == ["failed", "failed", "queued"]
    assert statuses(engine)[dead_letters[1]] == "queued"
    assert empty_queue.depth() == 1


def test_requeue_all_requeues_only_dead_letters(
    settings: Settings, engine: Engine, sessions: sessionmaker[Session], dead_letters: list[UUID], empty_queue: Queue
) -> None:
    with transaction(sessions) as session:
        user_id = session.scalars(select(User.id)).one()
        other = add_job(session, user_id, "not_an_image")
    result = run(settings, "requeue", "--all")
    assert result.returncode == 0, result.stderr
    assert {job_id for job_id, status in statuses(engine).items() if status == "queued"} == set(dead_letters)
    assert statuses(engine)[other] == "failed"
    assert empty_queue.depth() == 3


def test_requeue_of_an_unknown_job_exits_with_1_and_requeues_the_others(
    settings: Settings, engine: Engine, dead_letters: list[UUID], empty_queue: Queue
) -> None:
    unknown = uuid4()
    result = run(settings, "requeue", str(unknown), str(dead_letters[0]))
    assert result.returncode == 1
    assert f"{unknown}  skipped" in result.stdout
    assert f"{dead_letters[0]}  queued again" in result.stdout
    assert empty_queue.depth() == 1
    assert "Traceback" not in result.stderr


def test_requeue_of_an_invalid_id_is_a_usage_error(bare_environment: Path) -> None:
    result = run(load_settings(), "requeue", "not-an-id", COLUMNS="200")
    assert result.returncode == 2
    assert "Input should be a valid UUID" in result.stderr


def test_openapi_prints_only_the_document(bare_environment: Path) -> None:
    result = run(load_settings(ENVIRONMENT="test"), "openapi")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["info"]["title"] == "Slipway"
    assert {"/health", "/api/jobs", "/api/session"} <= document["paths"].keys()
    assert "Problem" in document["components"]["schemas"]


def test_the_demo_account_is_only_created_in_development(settings: Settings, engine: Engine) -> None:
    refused = run(settings, "create-demo")
    assert refused.returncode == 1
    assert "requires ENVIRONMENT=development" in refused.stderr
    for _ in range(2):
        assert run(settings, "create-demo", ENVIRONMENT="development").returncode == 0
    with Session(engine) as session:
        assert session.scalars(select(User.email)).all() == [DEMO_EMAIL]


def test_an_unknown_revision_is_reported_without_a_traceback(bare_environment: Path) -> None:
    result = run(load_settings(), "migrate", "--revision", "nope")
    assert result.returncode == 1
    assert result.stderr.startswith("There is no revision nope")


def test_without_a_command_the_commands_are_listed(bare_environment: Path) -> None:
    result = run(load_settings())
    for name in ("check", "migrate", "requeue", "openapi", "create-demo", "create-admin"):
        assert name in result.stdout + result.stderr
