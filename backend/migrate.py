"""Brings the database's schema up to date; several may try at once, and the database may still be starting."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError

from backend.health import known_revisions
from backend.infra.db import create_engine
from backend.infra.logging import configure_logging
from backend.settings import Settings

log = structlog.get_logger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as nobody else in this database takes the same lock.
ADVISORY_LOCK = 7_305_091
LOCK_TIMEOUT = "5s"
RETRY_SECONDS = 1.0


def migrate(settings: Settings, *, wait_seconds: float, revision: str = "head") -> None:
    """Go to `revision`. A database ahead of this code is left alone, with a warning: a rollback meets one.

    Raises sqlalchemy.exc.OperationalError when the database did not answer for `wait_seconds`.
    """
    configure_logging(settings, "migrate")
    engine = create_engine(settings)
    _make_folder_of_sqlite(settings)
    try:
        _wait_for(engine, wait_seconds)
        with _locked(engine) as connection:
            _run(connection, revision)
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> Config:
    """Return Alembic's configuration, bound to an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection, revision: str) -> None:
    config = alembic_config(connection)
    current = _current(connection)
    if current is not None and current not in known_revisions():
        log.warning("schema_is_newer", database=current, code=known_revisions()[-1])
        return
    script = ScriptDirectory.from_config(config)
    target = script.get_current_head() if revision == "head" else revision
    if revision != "head" and current is not None and revision < current:
        command.downgrade(config, revision)
    else:
        command.upgrade(config, revision)
    log.info("schema_is_current", before=current, revision=target)


def _current(connection: Connection) -> str | None:
    if not connection.dialect.has_table(connection, "alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _wait_for(engine: Engine, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            with engine.connect():
                return
        except (OperationalError, InterfaceError):
            if time.monotonic() > deadline:
                log.error("database_away", setting="DATABASE_URL", waited_seconds=seconds)
                raise
            log.info("waiting_for_database")
            time.sleep(RETRY_SECONDS)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """Hold a lock no other migration can have. SQLite's BEGIN IMMEDIATE is one by itself."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            # A migration that waits for a table holds up every query behind it; it had better fail soon.
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
        yield connection


def _make_folder_of_sqlite(settings: Settings) -> None:
    url = make_url(settings.DATABASE_URL.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
