"""The read-only commands: status, logs, smoke."""

from collections import deque

import pytest

from tests.scripts.deploy.app_platform.account import (
    NEW,
    OLD,
    OLDER,
    PRODUCTION,
    STAGING,
    VALUES,
    Account,
    file_spec,
    with_images,
)
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.serving import Page


@pytest.fixture
def app(account: Account) -> App:
    """Production with two deployments; only the older passed its smoke test."""
    older, old = account.release(OLDER, "sha", "production"), account.release(OLD, "sha")
    return account.add_app("production", older, old)


def test_status_lists_the_live_and_the_earlier_deployments(account: Account, app: App) -> None:
    ended = account.run("status", "--env", "production")
    assert_ended(ended, 0)
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert f"{PRODUCTION} at {app.live_url}" in lines
    assert f"active {OLD[:12]} {app.deployments[1].id} not verified" in lines
    assert f"earlier {OLDER[:12]} {app.deployments[0].id} production" in lines
    assert any(line.startswith("health ok, version ") and "worker ok" in line for line in lines)
    assert f"{PRODUCTION} is healthy" in ended.out
    assert account.changes() == []


def test_status_shows_a_deployment_in_progress(account: Account, app: App, runner: ScriptedRunner) -> None:
    runner.rolls = deque([None] * 99)
    new = account.release(NEW, "sha", "tested")
    theirs = account.platform.cloud.update(app, with_images(app.spec, new))
    ended = account.run("status", "--env", "production")
    assert f"deploying  {NEW[:12]}  {theirs.id}" in ended.out


def test_an_app_on_a_later_page_of_the_list_is_found(account: Account) -> None:
    for number in range(100):
        account.platform.cloud.add_app({"name": f"other-{number}"})
    account.add_app("staging", account.release(OLD, "sha"))
    assert account.run("logs", "--env", "staging").code == 0


def test_status_of_an_unhealthy_site_fails(account: Account, app: App, runner: ScriptedRunner) -> None:
    digest = app.deployments[1].spec["services"][0]["image"]["digest"]
    unhealthy = {"status": "degraded", "version": "0.1.0", "checks": {"valkey": "unavailable"}}
    runner.pages[digest, "GET /health"] = Page(200, unhealthy)
    ended = account.run("status", "--env", "production")
    assert_ended(ended, 3, err=f"{PRODUCTION} is unhealthy: degraded, version 0.1.0, valkey unavailable")
    runner.pages[digest, "GET /health"] = Page(502, "Bad gateway")
    ended = account.run("status", "--env", "production")
    assert_ended(ended, 3, err="/health returned 502")


def test_status_shows_that_an_app_is_pinned(account: Account, app: App) -> None:
    account.platform.cloud.roll_back(app, app.deployments[0], skip_pin=False)
    assert ", pinned to a rollback" in account.run("status", "--env", "production").out


def test_logs_show_one_component_or_all(account: Account, app: App) -> None:
    assert app.active
    app.active.logs["RUN", "api"] = "\n".join(f"line {number}" for number in range(100))
    app.active.logs["RUN", "worker"] = "a job is done"
    one = account.run("logs", "--env", "production", "--component", "worker")
    assert_ended(one, 0, out="a job is done")
    assert "line 99" not in one.out
    everything = account.run("logs", "--env", "production")
    assert "a job is done" in everything.out
    assert "line 99" in everything.out
    assert "line 0\n" not in everything.out


def test_missing_logs_are_reported(account: Account, app: App) -> None:
    account.platform.faults.fail("GET", "/logs$", 404)
    ended = account.run("logs", "--env", "production")
    assert_ended(ended, 0, out="there is no log")
    assert len(app.deployments) == 2


@pytest.mark.parametrize("name", ["status", "logs", "smoke"])
def test_read_only_commands_are_refused_without_an_app(account: Account, name: str) -> None:
    ended = account.run(name, "--env", "staging")
    assert_ended(ended, 2, err=f"There is no app {STAGING}")


def test_a_first_deployment_in_progress_can_not_be_tested_or_rolled_back(account: Account) -> None:
    new = account.release(NEW, "sha")
    account.runner.rolls = deque([None] * 99)
    account.platform.cloud.create_app(with_images(file_spec("staging", **VALUES), new))
    status = account.run("status", "--env", "staging")
    assert_ended(status, 3, err="no address yet", out="deploying")
    smoke = account.run("smoke", "--env", "staging")
    assert_ended(smoke, 2, err=f"Nothing is live in {STAGING} yet")
    rollback = account.run("rollback", "--env", "staging")
    assert_ended(rollback, 2, err="No earlier release of staging")
    assert account.changes() == []
