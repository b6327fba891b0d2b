"""Another user changes the same app: from this folder, from another machine, or in the control panel."""

from collections import deque
from pathlib import Path

from tests.scripts.deploy.app_platform.account import (
    NEW,
    OLD,
    OLDER,
    PRODUCTION,
    STAGING,
    Account,
    env_values,
    runs,
    with_images,
    write_env_file,
)
from tests.scripts.deploy.tool import Ended, RecordingSystem, assert_ended
from tests.simulators.app_platform.runner import ScriptedRunner


def test_a_pinned_app_is_refused_by_every_command_that_deploys(account: Account, tmp_path: Path) -> None:
    old = account.release(OLD, "sha", "tested", "production")
    app = account.add_app("production", account.release(OLDER, "sha"), old)
    account.platform.cloud.roll_back(app, app.deployments[0], skip_pin=False)
    path = write_env_file(tmp_path / "env")
    for command in (
        ["promote", "--tag", OLD, "--yes"],
        ["rollback", "--env", "production", "--yes"],
        ["sync-env", "--env", "production", "--yes", "--file", path],
    ):
        ended = account.run(*command)
        assert_ended(ended, 2, err=f"{PRODUCTION} is pinned to a rollback")
        assert "commit or revert it in the control panel" in ended.err
    assert account.changes() == []


def test_a_deployment_of_another_release_is_not_interrupted(account: Account, runner: ScriptedRunner) -> None:
    old, older = account.release(OLD, "sha"), account.release(OLDER, "sha")
    account.release(NEW, "sha")
    app = account.add_app("staging", old)
    runner.rolls = deque([None] * 99)
    theirs = account.platform.cloud.update(app, with_images(app.spec, older))
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err=f"{STAGING} is deploying another release, {theirs.id}")
    assert "make rollback ENV=staging" in ended.err
    assert account.changes() == []
    assert theirs.under_way


def test_a_deployment_of_the_same_images_is_followed(account: Account) -> None:
    new = account.release(NEW, "sha")
    app = account.add_app("staging", account.release(OLD, "sha"))
    theirs = account.platform.cloud.update(app, with_images(app.spec, new))
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 0)
    assert account.changes() == []
    assert f"following deployment {theirs.id}" in ended.out
    assert app.active is theirs
    assert f"tested-{NEW[:12]}" in account.tags(new["slipway-app"])


def test_a_deployment_that_replaces_ours_needs_attention(account: Account, runner: ScriptedRunner) -> None:
    older = account.release(OLDER, "sha")
    account.release(NEW, "sha")
    app = account.add_app("staging", account.release(OLD, "sha"))
    runner.rolls = deque([None] * 9)
    theirs = with_images(app.spec, older)
    account.platform.faults.call("GET", "/deployments/", lambda: account.platform.cloud.update(app, theirs), skip=2)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="someone else is deploying")


def test_another_live_deployment_at_the_end_needs_attention(account: Account) -> None:
    older, new = account.release(OLDER, "sha"), account.release(NEW, "sha")
    app = account.add_app("staging", account.release(OLD, "sha"))

    def deploy_another() -> None:
        if runs(app, new):
            account.let_run(app, with_images(app.spec, older))

    account.platform.faults.call("GET", "/v2/apps/[^/]*$", deploy_another, times=99)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="is ACTIVE, but another deployment is live")
    assert "tested-" not in str(account.tags(new["slipway-app"]))


def test_a_deployment_started_during_the_confirmation_is_refused(account: Account) -> None:
    old, older = account.release(OLD, "sha", "production"), account.release(OLDER, "sha")
    account.release(NEW, "sha", "tested")
    app = account.add_app("production", old)
    cloud = account.platform.cloud

    class ChangedMeanwhile(RecordingSystem):
        def prompt(self, question: str) -> str:
            cloud.update(app, with_images(app.spec, older))
            return PRODUCTION

    ended = account.run("promote", "--tag", NEW, system=ChangedMeanwhile(account.clock))
    assert_ended(ended, 2)
    assert app.deployments[-1].id in ended.err
    assert account.changes() == []


def test_a_change_during_the_confirmation_is_not_undone(account: Account) -> None:
    old = account.release(OLD, "sha", "production")
    account.release(NEW, "sha", "tested")
    app = account.add_app("production", old)

    class ChangedMeanwhile(RecordingSystem):
        def prompt(self, question: str) -> str:
            changed = with_images(app.spec, old)
            changed["envs"].append({"key": "RETENTION_DAYS", "value": "3", "scope": "RUN_TIME"})
            account.let_run(app, changed)
            return PRODUCTION

    ended = account.run("promote", "--tag", NEW, system=ChangedMeanwhile(account.clock))
    assert_ended(ended, 2)
    assert env_values(app.spec)["RETENTION_DAYS"] == "3"
    assert account.changes() == []


def test_variables_are_not_sent_after_a_deployment_during_the_confirmation(account: Account, tmp_path: Path) -> None:
    app = account.add_app("production", account.release(OLD, "sha", "production"))
    cloud = account.platform.cloud

    class ChangedMeanwhile(RecordingSystem):
        def prompt(self, question: str) -> str:
            cloud.deploy_again(app)
            return PRODUCTION

    path = write_env_file(tmp_path / "env", {"SMTP_HOST": "mail.example.org"})
    ended = account.run("sync-env", "--env", "production", "--file", path, system=ChangedMeanwhile(account.clock))
    assert_ended(ended, 2)
    assert account.changes() == []


def test_two_commands_in_one_folder_do_not_deploy_at_once(account: Account) -> None:
    new = account.release(NEW, "sha")
    app = account.add_app("staging", account.release(OLD, "sha"))
    seconds: list[Ended] = []

    def run_meanwhile(*command: str) -> None:
        seconds.append(account.run(*command, "--env", "staging"))

    account.platform.faults.call("PUT", "/v2/apps/", lambda: run_meanwhile("rollback"))
    account.platform.faults.call("GET", "/deployments/", lambda: run_meanwhile("status"))
    assert account.run("staging", "--tag", NEW).code == 0
    rollback, status = seconds
    assert_ended(rollback, 2, err="Another command is changing staging from this folder")
    # Read-only commands need no lock.
    assert "Another command" not in status.err
    assert runs(app, new)


def test_environments_do_not_wait_for_each_other(account: Account) -> None:
    account.release(NEW, "sha")
    account.add_app("staging", account.release(OLD, "sha"))
    account.add_app("production", account.release(OLDER, "sha", "production"))
    seconds: list[Ended] = []
    other = ["rollback", "--env", "production", "--yes"]
    account.platform.faults.call("PUT", "/v2/apps/", lambda: seconds.append(account.run(*other)))
    account.run("staging", "--tag", NEW)
    assert "No earlier release of production" in seconds[0].err


def test_variables_are_not_sent_during_a_deployment(account: Account, tmp_path: Path, runner: ScriptedRunner) -> None:
    app = account.add_app("staging", account.release(OLD, "sha"))
    runner.rolls = deque([None] * 99)
    theirs = account.platform.cloud.deploy_again(app)
    ended = account.run("sync-env", "--env", "staging", "--file", write_env_file(tmp_path / "env"))
    assert_ended(ended, 2, err=f"{STAGING} is deploying, {theirs.id}")
    assert account.changes() == []
