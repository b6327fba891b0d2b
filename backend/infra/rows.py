"""Fast reads of lists: rows without SQLAlchemy's result handling, and keyset pagination."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row
from sqlalchemy import Dialect, Select, bindparam
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import InstrumentedAttribute, Session

NEWEST = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, newest first. `next_cursor` is None on the last page."""

    rows: list[Any]
    next_cursor: str | None


def fetch_page(
    session: Session,
    statement: Select[Any],
    id_column: InstrumentedAttribute[UUID],
    *,
    limit: int,
    cursor: UUID | None,
    **parameters: Any,
) -> Page:
    """Return up to `limit` rows with ids below `cursor`, newest first. The ids must be UUIDv7.

    The statement must select a column named `id`. A module-level statement with bind parameters is compiled once.
    """
    values = {"cursor": cursor or NEWEST, "limit": limit + 1, **parameters}
    rows = fetch_rows(session, _keyset(statement, id_column), **values)
    return Page(rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None)


def fetch_rows(session: Session, statement: Select[Any], **parameters: Any) -> list[Any]:
    """Return the rows of a statement that selects columns, with an attribute per column.

    SQLAlchemy's result handling takes twice as long as a short query (`make bench`). On PostgreSQL the compiled
    statement therefore runs directly on the session's psycopg connection, and only psycopg converts types. Lists of
    values (`in_`) are not supported. Raises sqlalchemy.exc.OperationalError.
    """
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        return list(connection.execute(statement, parameters))
    sql, defaults = _compile(statement, connection.dialect)
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor(row_factory=namedtuple_row) as cursor:
            rows: list[Any] = cursor.execute(sql, defaults | parameters).fetchall()
    except psycopg.OperationalError as error:
        if driver.closed:
            connection.invalidate(error)
        raise OperationalError(sql, None, error, hide_parameters=True) from error
    return rows


@lru_cache(maxsize=64)
def _keyset(statement: Select[Any], id_column: InstrumentedAttribute[UUID]) -> Select[Any]:
    older = statement.where(id_column < bindparam("cursor"))
    return older.order_by(id_column.desc()).limit(bindparam("limit"))


@lru_cache(maxsize=64)
def _compile(statement: Select[Any], dialect: Dialect) -> tuple[str, dict[str, Any]]:
    compiled = statement.compile(dialect=dialect)
    return str(compiled), dict(compiled.params)
