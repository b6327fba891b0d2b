"""`python -m backend create-admin`: new admins, promoted and demoted ones, and its questions in a terminal."""

import os
import pty
import subprocess
import sys
import time
from typing import Any

import httpx

from backend.infra.db import utc_now
from backend.settings import Settings
from tests.actions import PASSWORD, sign_up_and_in
from tests.backend.admin.conftest import ChangeUser, ReadAudit, id_of
from tests.backend.commands.create_admin import EMAIL, SECRET, run
from tests.backend.jobs.test_create_job import refusal
from tests.conftest import on_one_database
from tests.servers import ROOT, environment_of
from tests.time_limits import scaled

BY_COMMAND = (None, "command line", None, None)


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


@on_one_database  # a setting is not asked for
def test_registration_need_not_be_open(make_settings: Any, password_file: str) -> None:
    settings = make_settings(ENABLE_REGISTRATION=False)
    assert run(settings, EMAIL, "--password-file", password_file).returncode == 0


def test_an_account_that_exists_is_promoted_and_keeps_its_password(
    settings: Settings, client: httpx.Client, password_file: str, change_user: ChangeUser, read_audit: ReadAudit
) -> None:
    account = sign_up_and_in(client)
    change_user(account["id"], email_verified_at=utc_now())
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


@on_one_database  # the terminal is tested; what is written then is tested on both above
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
    assert process.wait(scaled(20)) == 0
    os.close(ours)
    assert SECRET not in shown
    assert log_in(client, EMAIL, SECRET).status_code == 200


def _read_until(terminal: int, text: str) -> str:
    shown = ""
    deadline = time.monotonic() + scaled(20)
    while text not in shown:
        assert time.monotonic() < deadline, shown
        shown += os.read(terminal, 4096).decode()
    # getpass switches the echo off before it asks, and reads a moment after.
    time.sleep(0.2)
    return shown
