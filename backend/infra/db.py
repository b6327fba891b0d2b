"""Database engine, sessions, the only commit in the application, and after-commit callbacks."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Engine, MetaData, event, exc
from sqlalchemy import create_engine as sqlalchemy_create_engine
from sqlalchemy.engine import URL, Connection, Dialect, make_url
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction, sessionmaker
from sqlalchemy.types import TypeDecorator
from uuid_utils.compat import uuid7

from backend.infra.ca_files import ca_file
from backend.infra.db_pool import pool_class
from backend.settings import Settings

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
IDLE_BEFORE_PING_SECONDS = 1.0
CONNECT_TIMEOUT_SECONDS = 5
AFTER_COMMIT = "after_commit"


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)


def is_in_models(item: Any, name: str | None, kind: str, reflected: bool, _model: Any) -> bool:
    """Return whether Alembic compares this item with the models. Columns that only older releases use are skipped.

    A model lists such columns in `info={"retired_columns": …}` until a migration drops them.
    """
    if kind != "column" or not reflected:
        return True
    table = Base.metadata.tables.get(item.table.name)
    return table is None or name not in table.info.get("retired_columns", ())


class UtcDateTime(TypeDecorator[datetime]):
    """A timezone-aware UTC datetime on every database. SQLite itself stores no time zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. Raises ValueError for a naive datetime, whose meaning depends on the machine's time zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562), which sorts by creation time."""
    return uuid7()


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_engine(settings: Settings) -> Engine:
    """Return an engine for DATABASE_URL. It connects on first use, so it can be created before a fork."""
    url = make_url(settings.DATABASE_URL.get_secret_value())
    sqlite = url.get_backend_name() == "sqlite"
    engine = sqlalchemy_create_engine(
        url,
        poolclass=pool_class(settings),
        pool_size=settings.DATABASE_POOL_SIZE,
        max_overflow=settings.DATABASE_MAX_OVERFLOW,
        pool_timeout=settings.DATABASE_POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
        connect_args={} if sqlite else _postgresql_arguments(url, settings),
    )
    if sqlite:
        _configure_sqlite(engine)
        return engine
    _use_utc(engine)
    if settings.DATABASE_POOL_PRE_PING:
        _ping_idle_connections(engine)
    return engine


def _postgresql_arguments(url: URL, settings: Settings) -> dict[str, Any]:
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT_SECONDS}
    if settings.DATABASE_SSLMODE:
        arguments["sslmode"] = settings.DATABASE_SSLMODE
    if settings.DATABASE_CA_CERT:
        arguments["sslrootcert"] = ca_file(settings.DATABASE_CA_CERT)
        if not settings.DATABASE_SSLMODE and "sslmode" not in url.query:
            # libpq does not verify certificates by default. A configured CA means they must be verified.
            arguments["sslmode"] = "verify-full"
    if settings.DATABASE_PGBOUNCER:
        arguments["prepare_threshold"] = None
    return arguments


def create_sessions(engine: Engine, **info: Any) -> sessionmaker[Session]:
    """Return a session factory. `info` holds what after-commit callbacks need, such as the queue."""
    return sessionmaker(engine, expire_on_commit=False, autobegin=True, info=info)


def create_read_sessions(engine: Engine) -> sessionmaker[Session]:
    """Return a factory of read-only sessions: no BEGIN, no ROLLBACK, no lock on SQLite."""
    if engine.dialect.name == "postgresql":
        return sessionmaker(engine.execution_options(isolation_level="AUTOCOMMIT"), autoflush=False)
    return sessionmaker(engine.execution_options(read_only=True), autoflush=False)


@contextmanager
def transaction(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Run a block in one transaction: commit at its end, roll back if it raises.

    Callbacks added by `after_commit` run after the commit. After a rollback they do not run.
    """
    with sessions() as session:
        yield session
        commit(session)


def commit(session: Session) -> None:
    """Commit, then run the after-commit callbacks."""
    session.commit()
    for _savepoints, callback in session.info.pop(AFTER_COMMIT, []):
        callback()


def after_commit(session: Session, callback: Callable[[], None]) -> None:
    """Run `callback` after the session commits. A rollback of the transaction or its savepoint drops it."""
    session.info.setdefault(AFTER_COMMIT, []).append((_savepoints(session), callback))


def _savepoints(session: Session) -> list[SessionTransaction]:
    found = []
    savepoint = session.get_nested_transaction()
    while savepoint is not None:
        found.append(savepoint)
        savepoint = savepoint.parent if savepoint.parent is not None and savepoint.parent.nested else None
    return found


@event.listens_for(Session, "after_soft_rollback")
def _drop_callbacks(session: Session, rolled_back: SessionTransaction) -> None:
    if rolled_back.nested:
        callbacks = session.info.get(AFTER_COMMIT, [])
        callbacks[:] = [entry for entry in callbacks if rolled_back not in entry[0]]
    else:
        session.info.pop(AFTER_COMMIT, None)


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        # The driver's implicit BEGIN is deferred: two writers would deadlock when they upgrade their locks.
        connection.isolation_level = None
        for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "checkin")
    def end_transaction(connection: Any, _record: Any) -> None:
        # After a failed COMMIT the SQLite transaction is still open, but SQLAlchemy treats it as ended.
        if connection is not None and connection.in_transaction:
            connection.rollback()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _use_utc(engine: Engine) -> None:
    """Set each connection to UTC. Otherwise direct psycopg reads return times in the server's time zone."""

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
        connection.commit()


def _ping_idle_connections(engine: Engine) -> None:
    """Test a connection before use if it was idle for more than a second.

    SQLAlchemy's pre-ping costs a round trip per request. HikariCP's aliveBypassWindow works the same way.
    """

    @event.listens_for(engine, "checkin")
    def remember(_connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, record: Any, _proxy: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < IDLE_BEFORE_PING_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise exc.DisconnectionError from error
