"""Reading lists: rows without the cost of SQLAlchemy's results, and keyset pages of them."""

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
    """Return up to `limit` rows with ids below `cursor`, newest first: ids are UUIDv7.

    The statement needs a column named `id`. A module-level statement with bind parameters is compiled only once.
    """
    values = {"cursor": cursor or NEWEST, "limit": limit + 1, **parameters}
    rows = fetch_rows(session, _keyset(statement, id_column), **values)
    return Page(rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else None)


def fetch_rows(session: Session, statement: Select[Any], **parameters: Any) -> list[Any]:
    """Return the rows of a statement that selects columns, with an attribute for each.

    SQLAlchemy's result handling costs twice what a short query does (`make bench`). So on PostgreSQL the compiled
    statement runs on the psycopg connection behind the session, and types are converted by psycopg alone. Lists of
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
