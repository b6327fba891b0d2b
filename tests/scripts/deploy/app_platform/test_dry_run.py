"""A dry run shows the changes and sends only requests that read."""

from pathlib import Path

import pytest

from tests.scripts.deploy.app_platform.account import NEW, OLD, OLDER, Account, write_env_file
from tests.scripts.deploy.tool import assert_ended


@pytest.fixture
def file(tmp_path: Path) -> str:
    return write_env_file(tmp_path / "env", {"SMTP_HOST": "mail.example.org"})


COMMANDS = {
    "staging": (["staging", "--tag", NEW], f"would deploy {NEW[:12]} to staging"),
    "promote": (["promote", "--tag", NEW, "--release", "v1.0.0"], f"would promote {NEW[:12]} to production"),
    "rollback": (["rollback", "--env", "production"], f"would roll back to {OLDER[:12]}"),
    "rollback to": (["rollback", "--env", "production", "--to", OLD], f"would roll back to {OLD[:12]}"),
    "sync-env": (["sync-env", "--env", "production", "--file", "FILE"], "would send 1 and remove 0 variables"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_dry_run_only_reads(account: Account, file: str, name: str) -> None:
    older, old = (account.release(sha, "sha", "production") for sha in (OLDER, OLD))
    account.release(NEW, "sha", "tested")
    for environment in ("staging", "production"):
        account.add_app(environment, older, old)
    command, message = COMMANDS[name]
    ended = account.run(*[file if argument == "FILE" else argument for argument in command], "--dry-run")
    assert_ended(ended, 0, out=message)
    assert account.changes() == []
    assert {seen.method for seen in account.registry.http.seen} <= {"GET", "HEAD"}
    assert account.programs == []
    assert all(len(app.deployments) == 2 for app in account.platform.cloud.apps.values())


def test_a_dry_run_of_a_first_deployment_creates_no_app(account: Account, tmp_path: Path) -> None:
    account.release(NEW, "sha")
    ended = account.run("staging", "--tag", NEW, "--dry-run", "--env-file", write_env_file(tmp_path / "env"))
    assert_ended(ended, 0)
    assert account.changes() == []
    assert account.platform.cloud.apps == {}
    assert "image slipway-web: none → sha256:" in ended.out


def test_a_dry_run_refuses_what_the_command_would_refuse(account: Account) -> None:
    account.add_app("production", account.release(OLD, "sha"))
    assert account.run("promote", "--tag", NEW, "--dry-run").code == 2
    assert account.run("rollback", "--env", "production", "--dry-run").code == 2
    assert account.run("staging", "--tag", NEW, "--dry-run").code == 2
