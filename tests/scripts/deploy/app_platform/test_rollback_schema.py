"""Rollbacks where a newer release has migrated the database."""

import pytest

from tests.scripts.deploy.app_platform.account import NEW, OLD, Account, running
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import SchemaRunner

ROLLBACK = ["rollback", "--env", "production", "--yes"]


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


def test_the_platform_rolls_back_when_the_old_migration_job_succeeds(account: Account, app: App) -> None:
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 0)
    assert account.changes() == ["POST /apps/rollback"]
    assert len(set(running(app).values())) == 2


def test_only_the_images_are_rolled_back_when_the_old_migration_job_fails(
    account: Account, app: App, runner: SchemaRunner
) -> None:
    runner.tolerates_newer_schema = lambda spec: False
    old, new = (deployment.spec["jobs"][0]["image"]["digest"] for deployment in app.deployments)
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 0)
    assert account.changes() == ["POST /apps/rollback", "PUT /apps"]
    assert "rolling back the images only" in ended.out
    assert running(app)["api"] == running(app)["worker"] == old
    assert running(app)["migrate"] == new
    assert OLD in ended.out


def test_status_and_the_next_release_are_correct_after_a_rollback(
    account: Account, app: App, runner: SchemaRunner
) -> None:
    runner.tolerates_newer_schema = lambda spec: False
    assert account.run(*ROLLBACK).code == 0
    status = account.run("status", "--env", "production")
    assert f"active     {OLD[:12]}" in status.out
    again = account.run("promote", "--tag", NEW, "--yes")
    assert_ended(again, 0)
    assert len(set(running(app).values())) == 2
