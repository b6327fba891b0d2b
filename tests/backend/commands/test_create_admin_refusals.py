"""What `python -m backend create-admin` refuses, each told in a sentence."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import utc_now
from backend.settings import Settings, load_settings
from scripts.valkey import free_port
from tests.backend.admin.conftest import ChangeUser, ReadAudit
from tests.backend.commands.create_admin import EMAIL, run
from tests.conftest import on_one_database


@on_one_database  # told without a query, or after one by key
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([EMAIL, "--revoke"], f"No account has the address {EMAIL}."),
        (["no address"], "'no address' is no e-mail address."),
        ([EMAIL], "There is no terminal to ask for the password on. Put it in a file: --password-file PATH"),
        ([EMAIL, "--password-file", "/no/such"], "--password-file: /no/such can't be read: No such file or directory"),
        ([EMAIL, "--password-file", "/"], "--password-file: / can't be read: Is a directory"),
    ],
)
def test_what_can_not_be_done_is_told_in_a_sentence(
    arguments: list[str], told: str, settings: Settings, sessions: sessionmaker[Session], read_audit: ReadAudit
) -> None:
    refused = run(settings, *arguments)
    assert (refused.returncode, refused.stdout, refused.stderr.strip()) == (1, "", told)
    with sessions() as session:
        assert session.scalars(select(User.id)).all() == []
    assert read_audit() == []


@on_one_database  # refused before anything is written
@pytest.mark.parametrize("content", [b"short\n", b"", b"x" * 129, b"a\x00b and so on, long enough"])
def test_a_bad_password_is_refused_and_not_repeated(content: bytes, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(content)
    refused = run(settings, EMAIL, "--password-file", str(tmp_path / "bad"))
    assert refused.returncode == 1
    assert refused.stderr.startswith("The password must have 10 to 128 characters")


@on_one_database  # refused before anything is written
def test_a_password_file_that_is_no_text_is_told(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe")
    assert "it is not UTF-8 text" in run(settings, EMAIL, "--password-file", str(tmp_path / "bad")).stderr


@pytest.mark.parametrize(("column", "told"), [("disabled_at", "is disabled"), ("deleted_at", "is being deleted")])
def test_an_account_that_is_shut_is_not_promoted(
    column: str, told: str, settings: Settings, user: httpx.Client, change_user: ChangeUser, read_audit: ReadAudit
) -> None:
    account = user.get("/api/accounts/me").json()
    change_user(account["id"], **{column: utc_now()})
    refused = run(settings, account["email"])
    assert refused.returncode == 1
    assert told in refused.stderr
    assert read_audit() == []


def test_an_account_is_not_promoted_before_somebody_verified_its_address(
    settings: Settings, user: httpx.Client, change_user: ChangeUser, read_audit: ReadAudit
) -> None:
    account = user.get("/api/accounts/me").json()
    refused = run(settings, account["email"])
    assert refused.returncode == 1
    assert "has not verified the address" in refused.stderr
    assert "/forgot-password" in refused.stderr
    assert user.get("/api/accounts/me").json()["is_admin"] is False
    assert read_audit() == []
    change_user(account["id"], email_verified_at=utc_now())
    assert run(settings, account["email"]).returncode == 0


@on_one_database  # an error of usage: the database is not even opened
def test_a_password_can_not_be_given_as_an_argument(settings: Settings) -> None:
    for arguments in ([EMAIL, "--password", "x" * 12], [EMAIL, "x" * 12]):
        assert run(settings, *arguments).returncode == 2


@pytest.mark.usefixtures("bare_environment")
def test_a_database_that_is_away_or_empty_is_told(tmp_path: Path, password_file: str) -> None:
    away = load_settings(DATABASE_URL=f"postgresql://u:c4n4ry@127.0.0.1:{free_port()}/x")
    empty = load_settings(DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    for settings in (away, empty):
        refused = run(settings, EMAIL, "--password-file", password_file)
        assert refused.returncode == 1
        assert refused.stderr.startswith("DATABASE_URL: the database does not answer, or has no tables")
        assert "python -m backend migrate" in refused.stderr
        assert "c4n4ry" not in refused.stderr
