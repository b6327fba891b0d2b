"""Log-ins that run concurrently with an account change: no session with the old password remains."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from uuid import uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts import deletion, links, service
from backend.accounts.models import AccountToken, LoginSession, User
from backend.accounts.passwords import hash_password
from backend.accounts.sessions import Device
from backend.accounts.tokens import hash_secret
from backend.admin import service as admin_service
from backend.admin.audit import COMMAND_LINE
from backend.errors import AppError
from backend.infra.db import new_id, transaction, utc_now
from backend.settings import Settings
from tests.actions import PASSWORD

Sessions = sessionmaker[Session]
NEW_PASSWORD = "another horse battery"
LINK = "the secret of a mailed link"
# Long enough for the other transaction to reach the locked row.
OVERLAP_SECONDS = 0.4


def change(session: Session, user: User) -> None:
    service.change_password(session, user.id, uuid4(), current=PASSWORD, new=NEW_PASSWORD, request_id="")


def reset(session: Session, user: User) -> None:
    links.reset_password(session, LINK, NEW_PASSWORD, "")


def disable(session: Session, user: User) -> None:
    admin_service.disable_user(session, COMMAND_LINE, user.id)


def delete(session: Session, user: User) -> None:
    deletion.close_account(session, user.id, PASSWORD)


def sign_out(session: Session, user: User) -> None:
    admin_service.end_sessions(session, COMMAND_LINE, user.id)


End = Callable[[Session, User], None]


@pytest.fixture
def account(sessions: Sessions) -> User:
    """An account with a password reset link."""
    with transaction(sessions) as session:
        user = User(id=new_id(), email="ada@example.com", name="Ada", password_hash=hash_password(PASSWORD))
        session.add(user)
        session.flush()
        session.add(
            AccountToken(
                user_id=user.id,
                purpose="reset_password",
                token_hash=hash_secret(LINK),
                expires_at=utc_now().replace(year=2100),
            )
        )
    return user


def log_in(session: Session, settings: Settings, user: User) -> None:
    service.log_in(session, settings, email=user.email, password=PASSWORD, device=Device("", ""))


def run(sessions: Sessions, work: Callable[[Session], None]) -> None:
    with transaction(sessions) as session:
        work(session)


def count_sessions(sessions: Sessions) -> int:
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(LoginSession)) or 0


@pytest.mark.parametrize("end", [change, reset, disable, delete, sign_out])
def test_a_concurrent_log_in_is_ended_by_a_later_change(
    end: End, settings: Settings, sessions: Sessions, account: User
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with transaction(sessions) as session:
            log_in(session, settings, account)
            ending = threads.submit(run, sessions, lambda other: end(other, account))
            time.sleep(OVERLAP_SECONDS)
        ending.result(10)
    assert count_sessions(sessions) == 0


@pytest.mark.parametrize("end", [change, reset, disable, delete])
def test_a_log_in_during_an_account_change_is_refused_or_ended(
    end: End, settings: Settings, sessions: Sessions, account: User
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with transaction(sessions) as session:
            end(session, account)
            session.flush()
            login = threads.submit(run, sessions, lambda other: log_in(other, settings, account))
            time.sleep(OVERLAP_SECONDS)
        with suppress(AppError):
            login.result(10)
    assert count_sessions(sessions) == 0
