"""Migrations on both databases: upgrades, downgrades, concurrent runs, newer schemas, late databases."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

import backend.accounts.models
import backend.admin.models
import backend.jobs.models
from backend.commands.migrate import MigrationError, migrate
from backend.infra import schema
from backend.infra.db import Base, is_in_models
from backend.infra.schema import known_revisions
from backend.settings import Settings, load_settings
from scripts.valkey import free_port
from tests.conftest import make_database
from tests.servers import ROOT, environment_of
from tests.time_limits import scaled

FIRST_TABLES = {"users", "sessions", "uploads", "jobs"}
TABLES = FIRST_TABLES | {"account_tokens", "audit_log", "exports", "mails"}
ALTERING = """
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "9999", "{newest}", None, None


def upgrade() -> None:
    with op.batch_alter_table("users") as batch:
        batch.alter_column("name", type_=sa.String(200), existing_type=sa.String(100), existing_nullable=False)


def downgrade() -> None:
    pass
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Return settings for a database without tables."""
    if request.param == "sqlite":
        return load_settings(DATABASE_URL=f"sqlite:///{tmp_path}/a/folder/to/create/empty.db")
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


def test_upgrade_downgrade_and_upgrade_again(empty_database: Settings) -> None:
    migrate(empty_database, wait_seconds=1)
    assert tables(empty_database) == TABLES
    migrate(empty_database, wait_seconds=1)
    migrate(empty_database, wait_seconds=1, revision="base")
    assert tables(empty_database) == set()
    migrate(empty_database, wait_seconds=1, revision="base")
    migrate(empty_database, wait_seconds=1, revision="0001")
    assert tables(empty_database) == FIRST_TABLES
    migrate(empty_database, wait_seconds=1)
    assert tables(empty_database) == TABLES


def test_an_unknown_revision_is_refused(empty_database: Settings) -> None:
    with pytest.raises(MigrationError, match=r"There is no revision 0999\. Known revisions: base, 0001"):
        migrate(empty_database, wait_seconds=1, revision="0999")


def test_the_models_match_the_migrations(engine: Engine) -> None:
    options = {"compare_type": True, "compare_server_default": True, "include_object": is_in_models}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


def test_two_concurrent_migrations_both_succeed(empty_database: Settings) -> None:
    both = [run_migrate(empty_database), run_migrate(empty_database)]
    for process in both:
        output, errors = process.communicate(timeout=scaled(30))
        assert process.returncode == 0, output + errors
    assert tables(empty_database) == TABLES


def test_a_newer_schema_is_not_changed_and_is_logged(
    settings: Settings, engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    migrate(settings, wait_seconds=1)
    assert '"event":"schema_is_newer"' in capsys.readouterr().out
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
    assert tables(settings) == TABLES


def test_a_migration_waits_for_a_database_that_starts_later(postgres_url: str) -> None:
    name = f"late_{uuid4().hex}"
    settings = load_settings(DATABASE_URL=postgres_url.replace("/postgres?", f"/{name}?"))
    waiting = run_migrate(settings)
    assert waiting.stdout is not None
    assert "waiting_for_database" in waiting.stdout.readline()
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    output, errors = waiting.communicate(timeout=scaled(30))
    assert waiting.returncode == 0, output + errors
    assert tables(settings) == TABLES


def test_a_migration_fails_at_the_deadline_with_a_message() -> None:
    settings = load_settings(DATABASE_URL=f"postgresql://u:c4n4ry@127.0.0.1:{free_port()}/x")
    started = time.monotonic()
    process = run_migrate(settings, "--wait", "0.1")
    output, errors = process.communicate(timeout=scaled(30))
    assert process.returncode == 1
    assert errors.startswith("DATABASE_URL: the database was unavailable for 0.1 s: connection failed")
    assert "Traceback" not in errors
    assert "c4n4ry" not in output + errors
    assert time.monotonic() - started < scaled(10)


@pytest.fixture
def next_revision(
    sqlite_template: Path, postgres_template: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Add the revision 9999, which the database templates don't have. It alters the users table."""
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "backend" / "migrations", folder)
    (folder / "versions" / "9999_altering.py").write_text(ALTERING.format(newest=known_revisions()[-1]))
    monkeypatch.setattr(schema, "MIGRATIONS", folder)


@pytest.mark.usefixtures("next_revision")
def test_altering_a_table_keeps_its_child_rows(settings: Settings, engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO users (id, email, name, password_hash, created_at)"
                " VALUES (:id, 'a@b.org', 'A', 'x', '2026-01-01 00:00:00+00')"
            ),
            {"id": "0" * 32},
        )
        connection.execute(
            text(
                "INSERT INTO uploads VALUES (:id, :id, 'k', 'f', 'image/png', 1,"
                " '2026-01-01 00:00:00+00', '2026-01-01 00:00:00+00')"
            ),
            {"id": "0" * 32},
        )
    migrate(settings, wait_seconds=1)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "9999"
        assert connection.scalar(text("SELECT count(*) FROM uploads")) == 1


@pytest.mark.usefixtures("next_revision")
def test_a_migration_fails_quickly_if_a_table_is_locked(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(DATABASE_URL=make_database(request, "postgresql", tmp_path))
    monkeypatch.setattr(backend.commands.migrate, "LOCK_TIMEOUT", "100ms")
    engine = create_engine(settings.DATABASE_URL.get_secret_value())
    with engine.begin() as connection:
        connection.execute(text("LOCK TABLE users IN ACCESS SHARE MODE"))
        with pytest.raises(OperationalError, match="lock timeout"):
            migrate(settings, wait_seconds=1)
    assert tables(settings) == TABLES
    engine.dispose()
