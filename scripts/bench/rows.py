"""Fills the tables: ten users with ten thousand finished jobs each, created alternately over months."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, text

from backend.accounts.models import User
from backend.accounts.passwords import hash_password
from backend.infra.db import create_engine, create_sessions, new_id, transaction, utc_now
from backend.jobs.models import Job, JobStatus, Upload
from backend.jobs.recipe import Recipe
from backend.jobs.schemas import result_document
from scripts.bench.servers import Stack

USERS = 10
ROWS = 100_000
PASSWORD = "correct horse battery"

# One job every ten minutes. uuidv7() of PostgreSQL 18 accepts a time offset.
SEED = """
CREATE TEMPORARY TABLE seed AS
SELECT (:users)::uuid[] AS users, n, n - :rows AS ago, uuidv7(make_interval(mins => 10 * (n - :rows))) AS job_id,
       uuidv7(make_interval(mins => 10 * (n - :rows) - 1)) AS upload_id
FROM generate_series(1, :rows) AS n
"""
OWNER = f"seed.users[1 + seed.n % {USERS}]"
MOMENT = "now() + make_interval(mins => 10 * seed.ago)"


@dataclass(frozen=True, slots=True)
class Account:
    """A user with a password."""

    id: UUID
    email: str


def fill(stack: Stack) -> Account:
    """Create users and jobs, and return one of the users."""
    engine = create_engine(stack.settings)
    users = [User(id=new_id(), email=f"user-{n}@example.com", name="A user") for n in range(USERS)]
    upload = _upload(users[0].id)
    job = _job(upload)
    with transaction(create_sessions(engine)) as session:
        for user in users:
            user.password_hash = hash_password(PASSWORD)
        session.add_all(users)
        session.flush()
        session.add(upload)
        session.flush()
        session.add(job)
    with engine.begin() as connection:
        connection.execute(text(SEED), {"users": [str(user.id) for user in users], "rows": ROWS})
        _multiply(connection, Upload, upload.id, {"id": "seed.upload_id"})
        _multiply(connection, Job, job.id, _job_columns(job.id))
        connection.execute(text("DELETE FROM jobs WHERE id = :id"), {"id": job.id})
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
    return Account(users[0].id, users[0].email)


def _multiply(connection: Connection, model: Any, template: UUID, changed: dict[str, str]) -> None:
    """Copy a row once for each row of `seed`, with all columns of the table."""
    table: Table = model.__table__
    changed = {"user_id": OWNER, "created_at": MOMENT, **changed}
    names = [column.name for column in table.columns]
    values = [changed.get(name, f"template.{name}") for name in names]
    statement = f"""
        INSERT INTO {table.name} ({", ".join(names)})
        SELECT {", ".join(values)} FROM seed, {table.name} AS template WHERE template.id = :template ORDER BY seed.n
    """  # noqa: S608 - names of our own columns
    connection.execute(text(statement), {"template": template})


def _job_columns(template: UUID) -> dict[str, str]:
    return {
        "id": "seed.job_id",
        "upload_id": "seed.upload_id",
        "results": f"replace(template.results::text, '{template}', seed.job_id::text)::json",
        "started_at": f"{MOMENT} + interval '1 second'",
        "finished_at": f"{MOMENT} + interval '2 seconds'",
    }


def _upload(user_id: UUID) -> Upload:
    return Upload(
        id=new_id(),
        user_id=user_id,
        key=f"originals/{user_id.hex}/{new_id().hex}",
        filename="autumn-collection-042.jpg",
        content_type="image/jpeg",
        size=4_812_331,
        expires_at=utc_now(),
    )


def _job(upload: Upload) -> Job:
    job_id, now = new_id(), utc_now()
    return Job(
        id=job_id,
        user_id=upload.user_id,
        upload_id=upload.id,
        request_id=new_id().hex,
        status=JobStatus.COMPLETED,
        progress=100,
        recipe=Recipe().model_dump(mode="json"),
        original_key=upload.key,
        filename=upload.filename,
        content_type=upload.content_type,
        size=upload.size,
        facts={"width": 4032, "height": 3024},
        results=[
            result_document(
                job_id,
                f"result-{number}.webp",
                label="WebP",
                content_type="image/webp",
                size=97_531,
                facts={"width": 1600, "height": 1200},
            )
            for number in range(4)
        ],
        attempts=1,
        attempt_limit=5,
        created_at=now,
        started_at=now,
        finished_at=now,
        expires_at=now,
    )
