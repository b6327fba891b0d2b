"""Migrations 0005 and 0006: the previous and this release share the schema, and old rows are converted."""

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from backend.commands.migrate import migrate
from backend.infra.db import transaction
from backend.jobs.models import Job
from backend.jobs.schemas import job_document
from backend.settings import Settings
from tests.worker.conftest import MakeJob

OLD_RESULTS = [
    {"name": "web-800.webp", "format": "webp", "width": 800, "height": 600, "size": 9, "url": "/api/jobs/x"},
    {"name": "print.jpg", "format": "jpeg", "width": 80, "height": 60, "size": 8, "url": "/api/jobs/y"},
]
NEW_RESULTS = [
    {
        "name": "web-800.webp",
        "label": "Web",
        "content_type": "image/webp",
        "size": 9,
        "facts": {"width": 800, "height": 600},
        "url": "/api/jobs/x",
    }
]
# The columns that the previous release reads.
OLD_READ = text("SELECT preset, enhance, watermark, width, height, results, failure_code FROM jobs WHERE id = :id")
SET_RESULTS = "width = 640, height = 480, results = :results"


def read_as_the_previous_release(sessions: sessionmaker[Session], job_id: UUID) -> dict[str, Any]:
    with sessions() as session:
        key = job_id.hex if session.connection().dialect.name == "sqlite" else job_id
        row = dict(session.execute(OLD_READ, {"id": key}).one()._mapping)
    if isinstance(row["results"], str):
        row["results"] = json.loads(row["results"])
    return row | {"enhance": bool(row["enhance"])}


def update_as_the_previous_release(engine: Engine, job_id: UUID, assignments: str, **values: Any) -> None:
    key = job_id.hex if engine.dialect.name == "sqlite" else job_id
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE jobs SET {assignments} WHERE id = :id"), {"id": key, **values})


def read_now(sessions: sessionmaker[Session], job_id: UUID) -> dict[str, Any]:
    with sessions() as session:
        return job_document(session.get_one(Job, job_id))


def test_the_previous_release_reads_what_this_one_writes(
    make_job: MakeJob,
    sessions: sessionmaker[Session],
) -> None:
    job = make_job(recipe={"preset": "print", "enhance": True, "watermark": "© B"})
    with transaction(sessions) as session:
        session.get_one(Job, job.id).facts = {"width": 4000, "height": 3000}
        session.get_one(Job, job.id).results = NEW_RESULTS
    old = read_as_the_previous_release(sessions, job.id)
    assert old["preset"] == "print"
    assert old["enhance"] is True
    assert old["watermark"] == "© B"
    assert old["width"] == 4000
    assert old["height"] == 3000
    [result] = old["results"]
    assert {name: result[name] for name in OLD_RESULTS[0]} == OLD_RESULTS[0]
    assert read_now(sessions, job.id)["results"][0].items() >= NEW_RESULTS[0].items()


@pytest.mark.parametrize("recipe", [{}, {"delimiter": ";"}, {"preset": ["a"], "enhance": "yes", "watermark": 3}])
def test_a_recipe_of_another_pipeline_is_not_changed(
    make_job: MakeJob,
    sessions: sessionmaker[Session],
    recipe: dict[str, Any],
) -> None:
    job = make_job(recipe=recipe)
    result = {"name": "a.json", "label": "A", "content_type": "application/json", "size": 1, "facts": {}, "url": "/"}
    with transaction(sessions) as session:
        session.get_one(Job, job.id).facts = {"rows": 5, "width": "wide"}
        session.get_one(Job, job.id).results = [result]
    now = read_now(sessions, job.id)
    assert now["recipe"] == recipe
    assert now["original"]["facts"] == {"rows": 5, "width": "wide"}
    assert now["results"] == [result]


def test_this_release_reads_what_the_previous_one_writes(
    make_job: MakeJob,
    engine: Engine,
    sessions: sessionmaker[Session],
) -> None:
    job = make_job()
    update_as_the_previous_release(engine, job.id, SET_RESULTS, results=json.dumps(OLD_RESULTS))
    now = read_now(sessions, job.id)
    assert now["original"]["facts"] == {"width": 640, "height": 480}
    assert [(item["label"], item["content_type"], item["facts"]) for item in now["results"]] == [
        ("WEBP", "image/webp", {"width": 800, "height": 600}),
        ("JPEG", "image/jpeg", {"width": 80, "height": 60}),
    ]
    update_as_the_previous_release(engine, job.id, "status = 'failed', failure_code = 'truncated'")
    assert "damaged" in read_now(sessions, job.id)["failure"]["message"]


def test_existing_rows_are_converted_in_both_directions(
    settings: Settings, engine: Engine, sessions: sessionmaker[Session], make_job: MakeJob
) -> None:
    job = make_job(recipe={"preset": "social", "enhance": True, "watermark": "© A"})
    update_as_the_previous_release(engine, job.id, SET_RESULTS, results=json.dumps(OLD_RESULTS))
    migrate(settings, wait_seconds=1, revision="0004")
    before = read_as_the_previous_release(sessions, job.id)
    assert before["preset"] == "social"
    assert before["enhance"] is True
    assert before["watermark"] == "© A"
    assert before["width"] == 640
    migrate(settings, wait_seconds=1)
    now = read_now(sessions, job.id)
    assert now["recipe"] == {"preset": "social", "enhance": True, "watermark": "© A"}
    assert now["original"]["facts"] == {"width": 640, "height": 480}
    assert now["results"][0]["content_type"] == "image/webp"
