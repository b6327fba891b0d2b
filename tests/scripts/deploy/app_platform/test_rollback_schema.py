"""Rollbacks where a newer release has migrated the database."""

import pytest

from tests.scripts.deploy.app_platform.account import NEW, OLD, Account, running
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import SchemaRunner

BACK = ["rollback", "--env", "production", "--yes"]


@pytest.fixture
def runner() -> SchemaRunner:
    return SchemaRunner(database="0003")


@pytest.fixture
def app(account: Account, runner: SchemaRunner) -> App:
    old = account.release(OLD, "sha", "production", schema="0003")
    new = account.release(NEW, "sha", "tested", schema="0004")
    runner.revisions = {old["slipway-app"]: ["0003"], new["slipway-app"]: ["0003", "0004"]}
    app = account.add_app("production", old, new)
    assert runner.database == "0004"
    return app


def test_a_migration_that_says_so_and_goes_on_lets_the_platform_go_back(account: Account, app: App) -> None:
    ended = account.run(*BACK)
    assert_ended(ended, 0)
    assert account.changes() == ["POST /apps/rollback"]
    assert len(set(running(app).values())) == 2


def test_a_migration_that_fails_there_lets_the_images_go_back_alone(
    account: Account, app: App, runner: SchemaRunner
) -> None:
    runner.goes_on = lambda spec: False
    old, new = (deployment.spec["jobs"][0]["image"]["digest"] for deployment in app.deployments)
    ended = account.run(*BACK)
    assert_ended(ended, 0)
    assert account.changes() == ["POST /apps/rollback", "PUT /apps"]
    assert "rolling back the images only" in ended.out
    assert running(app)["api"] == running(app)["worker"] == old
    assert running(app)["migrate"] == new
    assert OLD in ended.out


def test_the_next_rollback_and_the_next_release_know_what_runs(
    account: Account, app: App, runner: SchemaRunner
) -> None:
    runner.goes_on = lambda spec: False
    assert account.run(*BACK).code == 0
    status = account.run("status", "--env", "production")
    assert f"active     {OLD[:12]}" in status.out
    again = account.run("promote", "--tag", NEW, "--yes")
    assert_ended(again, 0)
    assert len(set(running(app).values())) == 2
