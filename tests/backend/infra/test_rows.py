"""Rows and keyset pages: equal on both databases, with SQLAlchemy's exceptions."""

from uuid import UUID

import httpx
import pytest
from sqlalchemy import Engine, bindparam, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import create_read_sessions, new_id, transaction
from backend.infra.rows import fetch_page, fetch_rows
from tests.conftest import MakeSettings
from tests.servers import LiveServer

NAMES = select(User.id, User.name).where(User.name.contains(bindparam("part")))


@pytest.fixture
def ids(sessions: sessionmaker[Session]) -> list[UUID]:
    """Create five accounts and return their ids, oldest first."""
    ids = [new_id() for _ in range(5)]
    with transaction(sessions) as session:
        session.add_all(
            User(id=user_id, email=f"{user_id.hex}@example.org", name=f"100% {n}") for n, user_id in enumerate(ids)
        )
    return ids


def test_pages_go_from_the_newest_row_to_the_oldest(engine: Engine, ids: list[UUID]) -> None:
    found: list[UUID] = []
    cursor: UUID | None = None
    sizes = []
    with create_read_sessions(engine)() as session:
        for _ in range(3):
            page = fetch_page(session, NAMES, User.id, limit=2, cursor=cursor, part="100% ")
            found += [row.id for row in page.rows]
            sizes.append(len(page.rows))
            cursor = UUID(page.next_cursor) if page.next_cursor else None
    assert found == ids[::-1]
    assert sizes == [2, 2, 1]
    assert cursor is None


def test_a_full_last_page_has_no_next_cursor(engine: Engine, ids: list[UUID]) -> None:
    with create_read_sessions(engine)() as session:
        page = fetch_page(session, NAMES, User.id, limit=5, cursor=None, part="")
    assert len(page.rows) == 5
    assert page.next_cursor is None


def test_literal_values_and_parameters_can_be_combined(engine: Engine, ids: list[UUID]) -> None:
    statement = NAMES.where(User.id > ids[0])
    with create_read_sessions(engine)() as session:
        rows = fetch_rows(session, statement, part="2")
    assert [(row.id, row.name) for row in rows] == [(ids[2], "100% 2")]


def test_a_lost_connection_returns_503_and_is_replaced(make_settings: MakeSettings, database_url: str) -> None:
    if database_url.startswith("sqlite"):
        return  # SQLite has no connection to lose
    with LiveServer(make_settings(DATABASE_POOL_SIZE=1)) as server, server.client() as client:
        _sign_up(client)
        assert client.get("/api/jobs").status_code == 200
        with server.app.state.engine.connect() as connection:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
        _terminate(database_url, pid)
        statuses = [client.get("/api/jobs").status_code for _ in range(2)]
    assert statuses == [503, 200]


def test_errors_are_sqlalchemy_exceptions(engine: Engine) -> None:
    with create_read_sessions(engine)() as session:
        if engine.dialect.name == "postgresql":
            session.execute(text("SET statement_timeout = 1"))
            slow = select(text("1 AS id")).select_from(text("pg_sleep(1)"))
            with pytest.raises(OperationalError):
                fetch_rows(session, slow)
        else:
            with pytest.raises(OperationalError):
                fetch_rows(session, select(text("1 AS id")).select_from(text("no_such_table")))


def _sign_up(client: httpx.Client) -> None:
    from tests.actions import sign_up_and_in

    sign_up_and_in(client)


def _terminate(database_url: str, pid: int) -> None:
    import psycopg

    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
