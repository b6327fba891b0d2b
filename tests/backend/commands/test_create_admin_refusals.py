"""Errors of `python -m backend create-admin`, each with one message."""

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


@on_one_database  # needs no query, or one query by key
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([EMAIL, "--revoke"], f"No account has the address {EMAIL}."),
        (["no address"], "'no address' is not an e-mail address."),
        ([EMAIL], "There is no terminal for the password prompt. Use a file: --password-file PATH"),
        ([EMAIL, "--password-file", "/no/such"], "--password-file: can't read /no/such: No such file or directory"),
        ([EMAIL, "--password-file", "/"], "--password-file: can't read /: Is a directory"),
    ],
)
def test_an_impossible_request_is_refused_with_a_message(
    arguments: list[str], message: str, settings: Settings, sessions: sessionmaker[Session], read_audit: ReadAudit
) -> None:
    refused = run(settings, *arguments)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr.strip() == message
    with sessions() as session:
        assert session.scalars(select(User.id)).all() == []
    assert read_audit() == []


@on_one_database  # refused before anything is written
@pytest.mark.parametrize("content", [b"short\n", b"", b"x" * 129, b"a\x00b and so on, long enough"])
def test_an_invalid_password_is_refused_and_not_shown(content: bytes, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(content)
    refused = run(settings, EMAIL, "--password-file", str(tmp_path / "bad"))
    assert refused.returncode == 1
    assert refused.stderr.startswith("The password must have 10 to 128 characters")


@on_one_database  # refused before anything is written
def test_a_password_file_that_is_not_text_is_reported(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(b"\xff\xfe\xff\xfe\xff\xfe\xff\xfe\xff\xfe")
    assert "it is not UTF-8 text" in run(settings, EMAIL, "--password-file", str(tmp_path / "bad")).stderr


@pytest.mark.parametrize(("column", "message"), [("disabled_at", "is disabled"), ("deleted_at", "is being deleted")])
def test_a_disabled_or_deleted_account_is_not_promoted(
    column: str, message: str, settings: Settings, user: httpx.Client, change_user: ChangeUser, read_audit: ReadAudit
) -> None:
    account = user.get("/api/accounts/me").json()
    change_user(account["id"], **{column: utc_now()})
    refused = run(settings, account["email"])
    assert refused.returncode == 1
    assert message in refused.stderr
    assert read_audit() == []


def test_an_account_is_not_promoted_before_its_address_is_verified(
    settings: Settings, user: httpx.Client, change_user: ChangeUser, read_audit: ReadAudit
) -> None:
    account = user.get("/api/accounts/me").json()
    refused = run(settings, account["email"])
    assert refused.returncode == 1
    assert "is not verified" in refused.stderr
    assert "/forgot-password" in refused.stderr
    assert user.get("/api/accounts/me").json()["is_admin"] is False
    assert read_audit() == []
    change_user(account["id"], email_verified_at=utc_now())
    assert run(settings, account["email"]).returncode == 0


@on_one_database  # a usage error: the database is not opened
def test_a_password_can_not_be_given_as_an_argument(settings: Settings) -> None:
    for arguments in ([EMAIL, "--password", "x" * 12], [EMAIL, "x" * 12]):
        assert run(settings, *arguments).returncode == 2


@pytest.mark.usefixtures("bare_environment")
def test_an_unavailable_or_empty_database_is_reported(tmp_path: Path, password_file: str) -> None:
    unavailable = load_settings(DATABASE_URL=f"postgresql://u:c4n4ry@127.0.0.1:{free_port()}/x")
    empty = load_settings(DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    for settings in (unavailable, empty):
        refused = run(settings, EMAIL, "--password-file", password_file)
        assert refused.returncode == 1
        assert refused.stderr.startswith("DATABASE_URL: the database is unavailable or has no tables")
        assert "python -m backend migrate" in refused.stderr
        assert "c4n4ry" not in refused.stderr
