"""`python -m backend create-admin`: new admins, promoted and demoted ones, and what it says when it can't."""

import os
import pty
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from backend.accounts.models import User
from backend.infra.db import utc_now
from backend.settings import Settings, load_settings
from scripts.valkey import free_port
from tests.actions import PASSWORD, sign_up_and_in
from tests.backend.admin.conftest import ChangeUser, ReadAudit, id_of
from tests.backend.jobs.test_create_job import refusal
from tests.servers import ROOT, environment_of

EMAIL = "first.admin@example.org"
SECRET = "c4n4ry of the first admin"
BY_COMMAND = (None, "command line", None, None)


def run(settings: Settings, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [sys.executable, "-m", "backend", "create-admin", *arguments],
        cwd=ROOT,
        env=environment_of(settings) | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stdout + result.stderr
    return result


@pytest.fixture
def password_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(f"{SECRET}\n")
    return str(path)


def log_in(client: httpx.Client, email: str, password: str) -> httpx.Response:
    return client.post("/api/session", json={"email": email, "password": password})


def test_the_first_admin_is_made_with_a_password_from_a_file(
    settings: Settings, client: httpx.Client, password_file: str, read_audit: ReadAudit
) -> None:
    made = run(settings, "First.Admin@Example.org", "--password-file", password_file)
    assert (made.returncode, made.stdout) == (0, f"Made the account {EMAIL}, an admin.\n")
    assert log_in(client, EMAIL, SECRET).status_code == 200
    shown = client.get(f"/api/admin/users/{id_of(client)}").raise_for_status().json()
    assert (shown["is_admin"], shown["email_verified_at"] is None) == (True, False)
    [entry] = read_audit()
    assert (entry.action, str(entry.target_id), entry.detail) == ("admin.create", shown["id"], {})
    assert (entry.admin_id, entry.admin_email, entry.address, entry.request_id) == BY_COMMAND
    again = run(settings, EMAIL, "--password-file", password_file)
    assert (again.returncode, again.stdout) == (0, f"{EMAIL} is an admin already; nothing was changed.\n")
    assert len(read_audit()) == 1


def test_registration_need_not_be_open(make_settings: Any, password_file: str) -> None:
    settings = make_settings(ENABLE_REGISTRATION=False)
    assert run(settings, EMAIL, "--password-file", password_file).returncode == 0


def test_an_account_that_exists_is_promoted_and_keeps_its_password(
    settings: Settings, client: httpx.Client, password_file: str, read_audit: ReadAudit
) -> None:
    account = sign_up_and_in(client)
    refusal(client.get("/api/admin/users"), 403, "admins_only")
    promoted = run(settings, str(account["email"]), "--password-file", password_file)
    assert promoted.returncode == 0
    assert "exists: promoted it to admin. Its password stays as it was." in promoted.stdout
    assert client.get("/api/admin/users").status_code == 200, "at once, with the token the user has"
    assert log_in(client, account["email"], SECRET).status_code == 401
    assert log_in(client, account["email"], PASSWORD).status_code == 200
    assert [entry.action for entry in read_audit()] == ["admin.grant"]


def test_a_revoked_admin_is_an_ordinary_user_at_once(
    settings: Settings, admin: httpx.Client, read_audit: ReadAudit
) -> None:
    email = str(admin.get("/api/accounts/me").json()["email"])
    assert admin.get("/api/admin/users").status_code == 200
    revoked = run(settings, email, "--revoke")
    assert (revoked.returncode, revoked.stdout.startswith(f"{email} is no longer an admin")) == (0, True)
    refusal(admin.get("/api/admin/users"), 403, "admins_only")
    assert admin.get("/api/jobs").status_code == 200
    again = run(settings, email, "--revoke")
    assert (again.returncode, again.stdout) == (0, f"{email} is no admin; nothing was changed.\n")
    assert [entry.action for entry in read_audit()] == ["admin.revoke"]


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


@pytest.mark.parametrize("content", [b"short\n", b"", b"x" * 129, b"a\x00b and so on, long enough"])
def test_a_bad_password_is_refused_and_not_repeated(content: bytes, settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "bad").write_bytes(content)
    refused = run(settings, EMAIL, "--password-file", str(tmp_path / "bad"))
    assert refused.returncode == 1
    assert refused.stderr.startswith("The password must have 10 to 128 characters")


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


def test_in_a_terminal_the_password_is_asked_for_twice_and_not_shown(settings: Settings, client: httpx.Client) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", "create-admin", EMAIL],
        cwd=ROOT,
        env=environment_of(settings) | {"TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = _read_until(ours, "Password of the new admin:")
    os.write(ours, f"{SECRET}\n".encode())
    shown += _read_until(ours, "Repeat for confirmation:")
    os.write(ours, f"{SECRET}\n".encode())
    shown += _read_until(ours, "an admin.")
    assert process.wait(20) == 0
    os.close(ours)
    assert SECRET not in shown
    assert log_in(client, EMAIL, SECRET).status_code == 200


def _read_until(terminal: int, text: str) -> str:
    shown = ""
    deadline = time.monotonic() + 20
    while text not in shown:
        assert time.monotonic() < deadline, shown
        shown += os.read(terminal, 4096).decode()
    # getpass switches the echo off before it asks, and reads a moment after.
    time.sleep(0.2)
    return shown
