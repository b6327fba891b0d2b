"""The mail about a finished job: optional, and sent only to a verified address."""

from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import transaction, utc_now
from backend.infra.storage import Storage
from backend.mails.models import Mail
from backend.settings import Settings
from tests.worker.conftest import MakeJob
from worker.process_job import process_job

WANTED: dict[str, Any] = {"mail_when_finished": True, "email_verified_at": utc_now()}


@pytest.mark.parametrize(
    ("columns", "mailed"),
    [
        ({}, []),
        ({"mail_when_finished": True}, []),
        (WANTED | {"disabled_at": utc_now()}, []),
        (WANTED | {"deleted_at": utc_now()}, []),
        (WANTED, ["job_finished"]),
    ],
    ids=["by-default", "unverified", "disabled", "deleted", "wanted"],
)
def test_a_finished_job_is_mailed_to_users_who_enabled_it(
    make_job: MakeJob,
    settings: Settings,
    sessions: sessionmaker[Session],
    storage: Storage,
    columns: dict[str, Any],
    mailed: list[str],
) -> None:
    job = make_job()
    if columns:
        with transaction(sessions) as session:
            session.execute(update(User).where(User.id == job.user_id).values(**columns))
    for _ in range(2):
        process_job(job.id, settings, sessions, storage)
    with sessions() as session:
        assert session.scalars(select(Mail.template)).all() == mailed


def test_a_failed_job_is_not_mailed(
    make_job: MakeJob, settings: Settings, sessions: sessionmaker[Session], storage: Storage
) -> None:
    job = make_job(b"no photo")
    with transaction(sessions) as session:
        session.execute(update(User).values(**WANTED))
    process_job(job.id, settings, sessions, storage)
    with sessions() as session:
        assert session.scalars(select(Mail)).all() == []
