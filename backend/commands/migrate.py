"""Migrates the database schema. Several processes may run this at the same time, while the database is starting."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, event, make_url, text
from sqlalchemy.exc import InterfaceError, OperationalError

from backend.infra import schema
from backend.infra.db import create_engine
from backend.infra.logging import configure_logging
from backend.settings import Settings

log = structlog.get_logger(__name__)

# An arbitrary number that no other application uses in this database.
ADVISORY_LOCK = 7_305_091
LOCK_TIMEOUT = "5s"
RETRY_SECONDS = 1.0


class MigrationError(Exception):
    """The migration failed. The message contains the reason."""


def migrate(settings: Settings, *, wait_seconds: float, revision: str = "head") -> None:
    """Migrate to `revision`. A schema newer than this code is not changed, only logged: it is normal after a rollback.

    Raises MigrationError if the database is unavailable for `wait_seconds`, or for an unknown revision.
    """
    configure_logging(settings, "migrate")
    if revision not in ("base", "head", *schema.known_revisions()):
        raise MigrationError(
            f"There is no revision {revision}. Known revisions: base, {', '.join(schema.known_revisions())}, head"
        )
    # One connection for migrations, one for the lock.
    engine = create_engine(settings.model_copy(update={"DATABASE_POOL_SIZE": 2}))
    _create_sqlite_folder(settings)
    try:
        _wait_for(engine, wait_seconds)
        with _locked(engine) as connection:
            _run(connection, revision)
    finally:
        engine.dispose()


def alembic_config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.attributes["connection"] = connection
    return config


def _run(connection: Connection, revision: str) -> None:
    known = schema.known_revisions()
    current = _current(connection)
    if connection.dialect.name == "postgresql":
        # End the transaction of the query above, because Alembic starts one for each migration.
        connection.commit()
    if current is not None and current not in known:
        log.warning("schema_is_newer", database=current, code=known[-1])
        return
    config = alembic_config(connection)
    target = known[-1] if revision == "head" else revision
    if _position(target, known) < _position(current, known):
        command.downgrade(config, target)
    else:
        command.upgrade(config, target)
    log.info("schema_is_current", before=current, revision=target)


def _position(revision: str | None, known: list[str]) -> int:
    return known.index(revision) if revision in known else -1


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
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > deadline:
                message = f"DATABASE_URL: the database was unavailable for {seconds:g} s: {error.orig}"
                raise MigrationError(message) from error
            log.info("waiting_for_database")
            time.sleep(RETRY_SECONDS)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """Yield a connection, and hold a lock so that no other process migrates.

    On PostgreSQL a separate connection holds the lock, so that each migration has its own transaction and may commit.
    On SQLite the lock is one BEGIN IMMEDIATE transaction around all migrations.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection, _without_cascades(connection), connection.begin():
            yield connection
        return
    with engine.connect() as lock, lock.begin(), engine.connect() as connection:
        lock.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        lock.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        # A migration that waits for a table lock blocks all later queries on the table, so it must fail quickly.
        event.listen(
            engine, "begin", lambda started: started.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
        )
        yield connection


@contextmanager
def _without_cascades(connection: Connection) -> Iterator[None]:
    """Disable SQLite's foreign keys: Alembic alters a table by recreating it, and the drop would delete child rows.

    The pragma only works outside a transaction. SQLAlchemy would start one, so this uses the driver's connection.
    """
    driver = connection.connection.dbapi_connection
    if connection.dialect.name != "sqlite" or driver is None:
        yield
        return
    driver.execute("PRAGMA foreign_keys=OFF")
    yield
    driver.execute("PRAGMA foreign_keys=ON")


def _create_sqlite_folder(settings: Settings) -> None:
    url = make_url(settings.DATABASE_URL.get_secret_value())
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
