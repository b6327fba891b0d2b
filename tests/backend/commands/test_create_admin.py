"""`python -m backend create-admin`: new, promoted and demoted admins, and its prompts in a terminal."""

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


def test_the_first_admin_is_created_with_a_password_from_a_file(
    settings: Settings, client: httpx.Client, password_file: str, read_audit: ReadAudit
) -> None:
    created = run(settings, "First.Admin@Example.org", "--password-file", password_file)
    assert created.returncode == 0
    assert created.stdout == f"Created the admin account {EMAIL}.\n"
    assert log_in(client, EMAIL, SECRET).status_code == 200
    shown = client.get(f"/api/admin/users/{id_of(client)}").raise_for_status().json()
    assert shown["is_admin"] is True
    assert shown["email_verified_at"] is not None
    [entry] = read_audit()
    assert entry.action == "admin.create"
    assert str(entry.target_id) == shown["id"]
    assert entry.detail == {}
    assert (entry.admin_id, entry.admin_email, entry.address, entry.request_id) == BY_COMMAND
    again = run(settings, EMAIL, "--password-file", password_file)
    assert again.returncode == 0
    assert again.stdout == f"{EMAIL} is already an admin. Nothing was changed.\n"
    assert len(read_audit()) == 1


@on_one_database  # the setting does not depend on the database
def test_an_admin_can_be_created_while_registration_is_disabled(make_settings: Any, password_file: str) -> None:
    settings = make_settings(ENABLE_REGISTRATION=False)
    assert run(settings, EMAIL, "--password-file", password_file).returncode == 0


def test_an_existing_account_is_promoted_and_keeps_its_password(
    settings: Settings, client: httpx.Client, password_file: str, change_user: ChangeUser, read_audit: ReadAudit
) -> None:
    account = sign_up_and_in(client)
    change_user(account["id"], email_verified_at=utc_now())
    refusal(client.get("/api/admin/users"), 403, "admins_only")
    promoted = run(settings, str(account["email"]), "--password-file", password_file)
    assert promoted.returncode == 0
    assert "to admin. Its password was not changed." in promoted.stdout
    assert client.get("/api/admin/users").status_code == 200, "immediately, with the existing token"
    assert log_in(client, account["email"], SECRET).status_code == 401
    assert log_in(client, account["email"], PASSWORD).status_code == 200
    assert [entry.action for entry in read_audit()] == ["admin.grant"]


def test_a_revoked_admin_is_a_normal_user_immediately(
    settings: Settings, admin: httpx.Client, read_audit: ReadAudit
) -> None:
    email = str(admin.get("/api/accounts/me").json()["email"])
    assert admin.get("/api/admin/users").status_code == 200
    revoked = run(settings, email, "--revoke")
    assert revoked.returncode == 0
    assert revoked.stdout.startswith(f"{email} is no longer an admin")
    refusal(admin.get("/api/admin/users"), 403, "admins_only")
    assert admin.get("/api/jobs").status_code == 200
    again = run(settings, email, "--revoke")
    assert again.returncode == 0
    assert again.stdout == f"{email} is not an admin. Nothing was changed.\n"
    assert [entry.action for entry in read_audit()] == ["admin.revoke"]


@on_one_database  # tests the prompts; the tests above cover both databases
def test_a_terminal_prompts_twice_for_the_password_and_does_not_show_it(
    settings: Settings, client: httpx.Client
) -> None:
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
    shown = _read_until(ours, "Password for the new admin:")
    os.write(ours, f"{SECRET}\n".encode())
    shown += _read_until(ours, "Repeat for confirmation:")
    os.write(ours, f"{SECRET}\n".encode())
    shown += _read_until(ours, f"Created the admin account {EMAIL}.")
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
    # getpass disables the echo before it prompts, and reads shortly after.
    time.sleep(0.2)
    return shown
