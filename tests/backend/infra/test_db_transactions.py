"""Transactions: commits, rollbacks, and after-commit callbacks."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import after_commit, create_sessions, transaction


class Deliberate(Exception):
    """Raised by the tests."""


@pytest.fixture
def plain(engine: Engine) -> sessionmaker[Session]:
    """Return sessions of a database with two more tables, whose constraint is checked at commit if possible."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (word VARCHAR(20) PRIMARY KEY)"))
        connection.execute(
            text(
                "CREATE TABLE replies (word VARCHAR(20) REFERENCES notes (word) DEFERRABLE INITIALLY DEFERRED NOT NULL)"
            )
        )
    return create_sessions(engine)


def note(session: Session, word: str, called: list[str]) -> None:
    session.execute(text("INSERT INTO notes VALUES (:word)"), {"word": word})
    after_commit(session, lambda: called.append(word))


def run(plain: sessionmaker[Session], work: Callable[[Session], None]) -> None:
    with transaction(plain) as session:
        work(session)


def notes(plain: sessionmaker[Session]) -> list[str]:
    with plain() as session:
        return list(session.scalars(text("SELECT word FROM notes ORDER BY word")))


def test_a_finished_block_is_committed_and_then_runs_callbacks_in_order(plain: sessionmaker[Session]) -> None:
    called: list[str] = []
    with transaction(plain) as session:
        note(session, "b", called)
        note(session, "a", called)
        assert called == []
    assert called == ["b", "a"]
    assert notes(plain) == ["a", "b"]


def test_callbacks_run_when_the_commit_is_visible_to_others(plain: sessionmaker[Session]) -> None:
    seen: list[list[str]] = []
    with transaction(plain) as session:
        note(session, "a", [])
        after_commit(session, lambda: seen.append(notes(plain)))
    assert seen == [["a"]]


def test_a_block_that_raises_is_rolled_back_and_runs_no_callbacks(plain: sessionmaker[Session]) -> None:
    called: list[str] = []

    def work(session: Session) -> None:
        note(session, "a", called)
        raise Deliberate

    with pytest.raises(Deliberate):
        run(plain, work)
    assert called == []
    assert notes(plain) == []


def test_a_failed_commit_runs_no_callbacks(plain: sessionmaker[Session]) -> None:
    called: list[str] = []

    def work(session: Session) -> None:
        note(session, "a", called)
        session.execute(text("INSERT INTO replies VALUES ('nobody')"))

    with pytest.raises(IntegrityError):
        run(plain, work)
    assert called == []
    assert notes(plain) == []


def test_a_session_reused_after_a_rollback_runs_only_new_callbacks(plain: sessionmaker[Session]) -> None:
    called: list[str] = []
    with transaction(plain) as session:
        note(session, "a", called)
        session.rollback()
        note(session, "b", called)
    assert called == ["b"]
    assert notes(plain) == ["b"]


def test_a_released_savepoint_runs_no_callbacks_before_the_commit(plain: sessionmaker[Session]) -> None:
    called: list[str] = []
    with transaction(plain) as session:
        with session.begin_nested():
            note(session, "inner", called)
        assert called == []
    assert called == ["inner"]


def test_a_rolled_back_savepoint_drops_its_callbacks(plain: sessionmaker[Session]) -> None:
    called: list[str] = []

    def fail_within(session: Session) -> None:
        with session.begin_nested():
            note(session, "inner", called)
            with session.begin_nested():
                note(session, "innermost", called)
            raise Deliberate

    with transaction(plain) as session:
        note(session, "before", called)
        with pytest.raises(Deliberate):
            fail_within(session)
        note(session, "after", called)
    assert called == ["before", "after"]
    assert notes(plain) == ["after", "before"]


def test_a_released_savepoint_in_a_rolled_back_transaction_runs_no_callbacks(plain: sessionmaker[Session]) -> None:
    called: list[str] = []

    def work(session: Session) -> None:
        with session.begin_nested():
            note(session, "inner", called)
        raise Deliberate

    with pytest.raises(Deliberate):
        run(plain, work)
    assert called == []


@pytest.mark.parametrize("end", [Session.commit, Session.rollback])
def test_sessions_do_not_share_callbacks(plain: sessionmaker[Session], end: Callable[[Session], None]) -> None:
    called: list[str] = []
    with plain() as other:
        after_commit(other, lambda: called.append("other"))
        with transaction(plain) as session:
            note(session, "a", called)
        end(other)
    assert called == ["a"]
