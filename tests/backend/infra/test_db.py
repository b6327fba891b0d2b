"""The engine: reads without a transaction, concurrent writers, dead connections, times in UTC."""

import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Engine, MetaData, Table, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from backend.infra.db import (
    IDLE_BEFORE_PING_SECONDS,
    UtcDateTime,
    create_engine,
    create_read_sessions,
    create_sessions,
    new_id,
    transaction,
)
from backend.settings import Settings, load_settings
from tests.backend.infra.proxy import Proxy, target_of
from tests.conftest import make_database
from tests.time_limits import scaled

NOT_UTC = timezone(timedelta(hours=5, minutes=30))


@pytest.fixture
def postgres(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Create a migrated PostgreSQL database for one test and return its URL."""
    return make_database(request, "postgresql", tmp_path)


@pytest.fixture
def sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Engine:
    """Return an engine for a migrated SQLite database of one test."""
    return create_engine(load_settings(DATABASE_URL=make_database(request, "sqlite", tmp_path)))


def test_reads_start_no_transaction_on_postgresql(postgres: str) -> None:
    engine = create_engine(load_settings(DATABASE_URL=postgres))
    with create_read_sessions(engine)() as session:
        session.execute(text("SELECT count(*) FROM users"))
        driver: Any = session.connection().connection.dbapi_connection
        assert driver.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        own = text("SELECT xact_start = query_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
        assert session.scalar(own) is True
    with create_sessions(engine)() as session:
        session.execute(text("SELECT count(*) FROM users"))
        driver = session.connection().connection.dbapi_connection
        assert driver.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    engine.dispose()


def test_reads_do_not_wait_for_writers_on_sqlite(sqlite: Engine) -> None:
    started = time.monotonic()
    with transaction(create_sessions(sqlite)) as writer:
        writer.execute(text("DELETE FROM users"))
        with create_read_sessions(sqlite)() as reader:
            assert reader.scalar(text("SELECT count(*) FROM users")) == 0
    assert time.monotonic() - started < scaled(5)


def test_sqlite_enforces_foreign_keys_and_uses_a_write_ahead_log(sqlite: Engine) -> None:
    with sqlite.connect() as connection:
        assert connection.scalar(text("PRAGMA journal_mode")) == "wal"
        assert connection.scalar(text("PRAGMA foreign_keys")) == 1
        assert connection.scalar(text("PRAGMA busy_timeout")) == 10_000
        with pytest.raises(IntegrityError, match="FOREIGN KEY"):
            connection.execute(
                text(
                    "INSERT INTO sessions (id, user_id, refresh_token_hash, created_at, rotated_at, expires_at)"
                    " VALUES ('1', 'nobody', 'x', '2026', '2026', '2026')"
                )
            )


def test_writers_that_read_first_never_deadlock_on_sqlite(sqlite: Engine) -> None:
    sessions = create_sessions(sqlite)
    with transaction(sessions) as session:
        session.execute(text("CREATE TABLE counters (value INTEGER)"))
        session.execute(text("INSERT INTO counters VALUES (0)"))
    failures: list[Exception] = []

    def count_up() -> None:
        try:
            for _ in range(20):
                with transaction(sessions) as session:
                    value = session.scalar(text("SELECT value FROM counters")) or 0
                    session.execute(text("UPDATE counters SET value = :value"), {"value": value + 1})
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scaled(30))
    assert failures == []
    with sessions() as session:
        assert session.scalar(text("SELECT value FROM counters")) == 80


def test_a_connection_that_died_while_idle_is_replaced(postgres: str) -> None:
    engine = create_engine(load_settings(DATABASE_URL=postgres))
    with engine.connect() as connection:
        old = connection.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(postgres, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", (old,))
    time.sleep(IDLE_BEFORE_PING_SECONDS)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT pg_backend_pid()")) != old
    engine.dispose()


def test_without_pre_ping_a_dead_connection_raises_an_error(postgres: str) -> None:
    engine = create_engine(load_settings(DATABASE_URL=postgres, DATABASE_POOL_PRE_PING=False))
    with engine.connect() as connection:
        old = connection.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(postgres, autocommit=True) as operator:
        operator.execute("SELECT pg_terminate_backend(%s, 5000)", (old,))
    time.sleep(IDLE_BEFORE_PING_SECONDS)
    with pytest.raises(OperationalError), engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()


def test_the_pool_size_follows_the_settings(postgres: str) -> None:
    settings = load_settings(
        DATABASE_URL=postgres, DATABASE_POOL_SIZE=1, DATABASE_MAX_OVERFLOW=1, DATABASE_POOL_TIMEOUT_SECONDS=0.1
    )
    engine = create_engine(settings)
    with engine.connect(), engine.connect(), pytest.raises(Exception, match="QueuePool limit of size 1 overflow 1"):
        engine.connect()
    engine.dispose()


@pytest.mark.parametrize(("pgbouncer", "prepared"), [(False, True), (True, False)])
def test_behind_pgbouncer_statements_are_not_prepared(postgres: str, pgbouncer: bool, prepared: bool) -> None:
    engine = create_engine(load_settings(DATABASE_URL=postgres, DATABASE_PGBOUNCER=pgbouncer))
    with engine.connect() as connection:
        for number in range(8):
            connection.execute(text("SELECT CAST(:number AS INTEGER)"), {"number": number})
        assert (connection.scalar(text("SELECT count(*) FROM pg_prepared_statements")) > 0) is prepared
    engine.dispose()


@pytest.mark.parametrize("query", ["", "&sslmode=disable"])
def test_required_tls_never_falls_back_to_plain_text(postgres: str, query: str) -> None:
    with Proxy(target_of(postgres)) as server:
        url = f"postgresql://postgres@127.0.0.1:{server.port}/postgres?connect_timeout=5{query}"
        with create_engine(load_settings(DATABASE_URL=url)).connect() as connection:
            assert connection.scalar(text("SELECT 1")) == 1
        for overrides in ({"DATABASE_SSLMODE": "require"}, {"DATABASE_SSLMODE": "verify-full"}):
            with pytest.raises(OperationalError, match=r"server does not support SSL|root certificate"):
                create_engine(load_settings(DATABASE_URL=url, **overrides)).connect()


def test_a_ca_certificate_alone_enables_verification(postgres: str) -> None:
    with Proxy(target_of(postgres)) as server:
        url = f"postgresql://postgres@127.0.0.1:{server.port}/postgres"
        with pytest.raises(OperationalError, match="server does not support SSL"):
            create_engine(load_settings(DATABASE_URL=url, DATABASE_CA_CERT="# Eigene CA für alle\n")).connect()


def test_times_are_returned_as_the_same_instant_in_utc(engine: Engine) -> None:
    table = Table("moments", MetaData(), Column("at", UtcDateTime))
    moment = datetime(2026, 3, 29, 2, 30, 15, 123456, tzinfo=NOT_UTC)
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(table.insert(), [{"at": moment}, {"at": None}])
        found = list(connection.scalars(select(table.c.at)))
        assert found == [moment, None]
        assert found[0].tzinfo is UTC
        assert connection.scalar(select(table.c.at).where(table.c.at == moment.astimezone(UTC))) == moment


def test_a_time_without_a_zone_is_refused(engine: Engine) -> None:
    table = Table("moments", MetaData(), Column("at", UtcDateTime))
    with engine.begin() as connection:
        table.create(connection)
        with pytest.raises(StatementError, match="naive datetime"):
            connection.execute(table.insert(), {"at": datetime(2026, 1, 1)})


def test_ids_are_ordered_by_creation_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert ids == sorted(ids)
    assert {one.version for one in ids} == {7}


def test_errors_contain_no_parameters(settings: Settings, engine: Engine) -> None:
    with engine.connect() as connection, pytest.raises(Exception, match="no_such_table") as caught:
        connection.execute(text("SELECT :word FROM no_such_table"), {"word": "c4n4ry"})
    assert "c4n4ry" not in str(caught.value)
