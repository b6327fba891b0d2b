"""Transactions: what is committed, what is rolled back, and what happens after a commit alone."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from backend.infra.db import after_commit, create_sessions, transaction


class Deliberate(Exception):
    """What the tests raise."""


@pytest.fixture
def plain(engine: Engine) -> sessionmaker[Session]:
    """Sessions on a database that has one more table, with a constraint that is checked at commit where it can be."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (word VARCHAR(20) PRIMARY KEY)"))
        connection.execute(
            text(
                "CREATE TABLE answers (word VARCHAR(20) REFERENCES notes (word) DEFERRABLE INITIALLY DEFERRED NOT NULL)"
            )
        )
    return create_sessions(engine)


def note(session: Session, word: str, said: list[str]) -> None:
    session.execute(text("INSERT INTO notes VALUES (:word)"), {"word": word})
    after_commit(session, lambda: said.append(word))


def run(plain: sessionmaker[Session], work: Callable[[Session], None]) -> None:
    with transaction(plain) as session:
        work(session)


def notes(plain: sessionmaker[Session]) -> list[str]:
    with plain() as session:
        return list(session.scalars(text("SELECT word FROM notes ORDER BY word")))


def test_a_block_that_ends_is_committed_and_then_tells_in_order(plain: sessionmaker[Session]) -> None:
    said: list[str] = []
    with transaction(plain) as session:
        note(session, "b", said)
        note(session, "a", said)
        assert said == []
    assert said == ["b", "a"]
    assert notes(plain) == ["a", "b"]


def test_what_is_told_after_a_commit_is_visible_to_others_by_then(plain: sessionmaker[Session]) -> None:
    seen: list[list[str]] = []
    with transaction(plain) as session:
        note(session, "a", [])
        after_commit(session, lambda: seen.append(notes(plain)))
    assert seen == [["a"]]


def test_a_block_that_raises_is_rolled_back_and_tells_nothing(plain: sessionmaker[Session]) -> None:
    said: list[str] = []

    def work(session: Session) -> None:
        note(session, "a", said)
        raise Deliberate

    with pytest.raises(Deliberate):
        run(plain, work)
    assert said == []
    assert notes(plain) == []


def test_a_commit_that_fails_tells_nothing(plain: sessionmaker[Session]) -> None:
    said: list[str] = []

    def work(session: Session) -> None:
        note(session, "a", said)
        session.execute(text("INSERT INTO answers VALUES ('nobody')"))

    with pytest.raises(IntegrityError):
        run(plain, work)
    assert said == []
    assert notes(plain) == []


def test_a_session_used_again_after_a_rollback_tells_only_the_new(plain: sessionmaker[Session]) -> None:
    said: list[str] = []
    with transaction(plain) as session:
        note(session, "a", said)
        session.rollback()
        note(session, "b", said)
    assert said == ["b"]
    assert notes(plain) == ["b"]


def test_a_released_savepoint_tells_nothing_before_the_commit(plain: sessionmaker[Session]) -> None:
    said: list[str] = []
    with transaction(plain) as session:
        with session.begin_nested():
            note(session, "inner", said)
        assert said == []
    assert said == ["inner"]


def test_a_savepoint_rolled_back_takes_what_was_to_be_told_in_it(plain: sessionmaker[Session]) -> None:
    said: list[str] = []

    def fail_within(session: Session) -> None:
        with session.begin_nested():
            note(session, "inner", said)
            with session.begin_nested():
                note(session, "innermost", said)
            raise Deliberate

    with transaction(plain) as session:
        note(session, "before", said)
        with pytest.raises(Deliberate):
            fail_within(session)
        note(session, "after", said)
    assert said == ["before", "after"]
    assert notes(plain) == ["after", "before"]


def test_a_released_savepoint_inside_a_rolled_back_transaction_tells_nothing(plain: sessionmaker[Session]) -> None:
    said: list[str] = []

    def work(session: Session) -> None:
        with session.begin_nested():
            note(session, "inner", said)
        raise Deliberate

    with pytest.raises(Deliberate):
        run(plain, work)
    assert said == []


@pytest.mark.parametrize("end", [Session.commit, Session.rollback])
def test_sessions_share_nothing_to_tell(plain: sessionmaker[Session], end: Callable[[Session], None]) -> None:
    said: list[str] = []
    with plain() as other:
        after_commit(other, lambda: said.append("other"))
        with transaction(plain) as session:
            note(session, "a", said)
        end(other)
    assert said == ["a"]
