"""Deployments that fail on App Platform: the last release stays live, and the reason is shown."""

from collections import deque
from pathlib import Path

from tests.scripts.deploy.app_platform.account import NEW, OLD, Account, runs, write_env_file
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.runner import Outcome, ScriptedRunner


def test_a_failing_migration_keeps_the_last_release_and_shows_its_log(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    runner.jobs = deque([Outcome(False, "duplicate column\nthe second line")])
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1)
    assert runs(app, old)
    assert account.changes() == ["PUT /apps"]
    assert "ended as ERROR (migrate: duplicate column)" in ended.err
    assert f"{OLD[:12]} ({app.deployments[0].id}) is still live" in ended.err
    shown = [line.removeprefix("  | ") for line in ended.out.splitlines()]
    assert shown[-3:] == ["--- migrate", "duplicate column", "the second line"]
    assert "tested-" not in str(account.tags(new["slipway-app"]))


def test_a_release_that_never_becomes_healthy_keeps_the_last_one(account: Account, runner: ScriptedRunner) -> None:
    old = account.release(OLD, "sha")
    account.release(NEW, "sha")
    app = account.add_app("staging", old)
    runner.rolls = deque([None, None, Outcome(False, "api: health check failed")])
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1, err="(deploy: api: health check failed)")
    assert runs(app, old)


def test_a_missing_digest_keeps_the_last_release(account: Account) -> None:
    old, new = account.release(OLD, "sha"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    lost = account.platform.cloud.registry.delete
    account.platform.faults.call("PUT", "/v2/apps/", lambda: lost("slipway-web", new["slipway-web"]))
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1, err=f"(build: image not found: web: slipway-web@{new['slipway-web']})")
    assert runs(app, old)


def test_a_failed_first_deployment_reports_that_nothing_is_live(
    account: Account, runner: ScriptedRunner, tmp_path: Path
) -> None:
    account.release(NEW, "sha")
    runner.jobs = deque([Outcome(False, "no database")])
    path = write_env_file(tmp_path / "env")
    ended = account.run("staging", "--tag", NEW, "--env-file", path)
    assert_ended(ended, 3, err="nothing is live")
    again = account.run("staging", "--tag", NEW)
    assert_ended(again, 0)
    assert account.changes() == ["POST /apps", "PUT /apps"]


def test_a_deployment_that_takes_too_long_is_cancelled(account: Account, runner: ScriptedRunner) -> None:
    old = account.release(OLD, "sha")
    account.release(NEW, "sha")
    app = account.add_app("staging", old)
    runner.rolls = deque([None] * 400)
    started = account.clock.now
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1, err="did not finish in 1200 s and was cancelled")
    assert 1200 <= account.clock.now - started < 1220
    assert account.changes() == ["PUT /apps", "POST /apps/deployments/cancel"]
    assert app.deployments[-1].phase == "CANCELED"
    assert runs(app, old)


def test_a_cancelled_deployment_keeps_the_last_release(account: Account, runner: ScriptedRunner) -> None:
    old = account.release(OLD, "sha")
    account.release(NEW, "sha")
    app = account.add_app("staging", old)
    runner.rolls = deque([None] * 9)
    cancel = account.platform.cloud.cancel
    account.platform.faults.call("GET", "/deployments/", lambda: cancel(app.deployments[-1]), skip=2)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1, err="ended as CANCELED")
    assert runs(app, old)


def test_a_deployment_that_succeeds_while_it_is_cancelled_is_rolled_back(
    account: Account, runner: ScriptedRunner
) -> None:
    old = account.release(OLD, "sha", "tested")
    account.release(NEW, "sha")
    app = account.add_app("staging", old)
    runner.rolls = deque([None] * 400)

    def finish() -> None:
        runner.rolls.clear()
        while app.deployments[-1].under_way:
            account.platform.cloud.app(app.id)

    account.platform.faults.call("POST", "/cancel$", finish)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1)
    assert account.changes() == ["PUT /apps", "POST /apps/deployments/cancel", "POST /apps/rollback"]
    assert f"{OLD[:12]} ({app.deployments[0].id}) is live again and healthy" in ended.err
    assert runs(app, old)


def test_a_rejected_app_is_refused(account: Account, tmp_path: Path) -> None:
    account.release(NEW, "sha")
    account.platform.faults.fail("POST", "/v2/apps$", 422)
    ended = account.run("staging", "--tag", NEW, "--env-file", write_env_file(tmp_path / "env"))
    assert_ended(ended, 2, err="POST /v2/apps returned 422")
    assert account.platform.cloud.apps == {}
