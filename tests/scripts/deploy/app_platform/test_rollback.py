"""Rollbacks on App Platform: by the platform itself, or only of the images when it refuses."""

import copy
from collections import deque
from collections.abc import Callable

import pytest

from tests.scripts.deploy.app_platform.account import (
    NEW,
    OLD,
    OLDER,
    PRODUCTION,
    Account,
    Images,
    env_values,
    running,
    runs,
    with_images,
)
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import Outcome, ScriptedRunner
from tests.simulators.app_platform.spec import Spec

ROLLBACK = ["rollback", "--env", "production", "--yes"]


@pytest.fixture
def releases(account: Account) -> list[Images]:
    """Three releases that passed their smoke test in production, the oldest first."""
    return [account.release(sha, "sha", "tested", "production") for sha in (OLDER, OLD, NEW)]


@pytest.fixture
def app(account: Account, releases: list[Images]) -> App:
    """Production, where the releases were live one after the other."""
    return account.add_app("production", *releases)


def test_a_rollback_restores_the_last_good_release_with_its_spec_and_pins_nothing(
    account: Account, app: App, releases: list[Images]
) -> None:
    before = copy.deepcopy(app.deployments[1].spec)
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 0)
    assert account.changes() == ["POST /apps/rollback"]
    assert app.spec == before
    assert app.pinned is None
    assert runs(app, releases[1])
    assert "of at most 300 s" in ended.out
    assert "at the latest" in ended.out
    assert f"{OLD[:12]} is live again in production" in ended.out


def test_a_second_rollback_goes_further_back(account: Account, app: App, releases: list[Images]) -> None:
    assert account.run(*ROLLBACK).code == 0
    assert account.run(*ROLLBACK).code == 0
    assert runs(app, releases[0])
    third = account.run(*ROLLBACK)
    assert_ended(third, 2, err="No earlier release of production passed its smoke test")
    assert "TO=<commit>" in third.err
    assert runs(app, releases[0])


def test_a_release_that_did_not_pass_its_smoke_test_is_skipped(account: Account) -> None:
    good, untested, bad = account.release(OLDER, "sha", "production"), account.release(OLD), account.release(NEW)
    app = account.add_app("production", good, untested, bad)
    assert account.run(*ROLLBACK).code == 0
    assert runs(app, good)


def test_a_release_with_only_one_tested_image_is_skipped(account: Account) -> None:
    good, half, bad = account.release(OLDER, "sha", "production"), account.release(OLD), account.release(NEW)
    account.platform.cloud.registry.push("slipway-app", half["slipway-app"], f"production-{OLD[:12]}")
    app = account.add_app("production", good, half, bad)
    assert account.run(*ROLLBACK).code == 0
    assert runs(app, good)


def test_a_release_whose_deployment_failed_is_skipped(account: Account, runner: ScriptedRunner) -> None:
    older, old, new = (account.release(sha, "sha", "production") for sha in (OLDER, OLD, NEW))
    app = account.add_app("production", old)
    runner.jobs.append(Outcome(False))
    failed = account.platform.cloud.update(app, with_images(app.spec, older))
    while failed.under_way:
        account.platform.cloud.app(app.id)
    account.let_run(app, with_images(app.spec, new))
    assert account.run(*ROLLBACK).code == 0
    assert runs(app, old)


def test_a_rollback_without_a_tested_release_is_refused(account: Account) -> None:
    account.add_app("production", account.release(OLD, "sha"), account.release(NEW, "sha"))
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 2, err="choose one with TO=<commit>")
    assert account.changes() == []


def test_a_rollback_without_an_app_is_refused(account: Account) -> None:
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 2, err=f"There is no app {PRODUCTION}")


def test_a_deployment_in_progress_is_cancelled_and_the_live_release_stays(
    account: Account, app: App, runner: ScriptedRunner, releases: list[Images]
) -> None:
    runner.rolls = deque([None] * 99)
    theirs = account.platform.cloud.update(app, with_images(app.spec, releases[0]))
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 0)
    assert theirs.phase == "CANCELED"
    assert account.changes() == ["POST /apps/deployments/cancel"]
    assert runs(app, releases[2])
    assert f"{NEW[:12]} stays live" in ended.out


def test_a_deployment_that_succeeds_before_it_is_cancelled_is_rolled_back(
    account: Account, app: App, releases: list[Images]
) -> None:
    theirs = account.platform.cloud.update(app, with_images(app.spec, releases[0]))

    def finish() -> None:
        while theirs.under_way:
            account.platform.cloud.app(app.id)

    account.platform.faults.call("POST", "/cancel$", finish)
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 0)
    assert runs(app, releases[2])


@pytest.mark.parametrize("arrived", [True, False])
def test_a_cancellation_is_checked_when_its_response_is_lost(
    account: Account, app: App, runner: ScriptedRunner, releases: list[Images], arrived: bool
) -> None:
    runner.rolls = deque([None] * 99)
    theirs = account.platform.cloud.update(app, with_images(app.spec, releases[0]))
    faults = account.platform.faults
    (faults.lose_response if arrived else faults.lose_request)("POST", "/cancel$")
    ended = account.run(*ROLLBACK)
    assert ended.code == (0 if arrived else 3), ended.text
    assert theirs.under_way is not arrived
    assert ("the request may have been carried out" in ended.err) is not arrived, ended.err
    assert account.changes() == ["POST /apps/deployments/cancel"]
    assert runs(app, releases[2])


def test_a_slow_rollback_continues_and_needs_attention(account: Account, app: App, runner: ScriptedRunner) -> None:
    runner.rolls = deque([None] * 999)
    started = account.clock.now
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 3, err="did not finish in time and is still in progress")
    assert 300 <= account.clock.now - started < 320
    assert app.deployments[-1].under_way
    assert account.changes() == ["POST /apps/rollback"]


def test_a_restored_release_that_is_unhealthy_needs_attention(
    account: Account, app: App, runner: ScriptedRunner, releases: list[Images]
) -> None:
    runner.git_shas[releases[1]["slipway-app"]] = NEW
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 3, err="is unhealthy too")
    assert runs(app, releases[1])


def with_other_database(spec: Spec) -> None:
    spec["databases"][0]["version"] = "18"


def with_other_region(spec: Spec) -> None:
    spec["region"] = "ams"


@pytest.mark.parametrize("change", [with_other_database, with_other_region])
def test_only_the_images_are_rolled_back_when_the_platform_refuses(
    account: Account, app: App, releases: list[Images], change: Callable[[Spec], None]
) -> None:
    spec = copy.deepcopy(app.spec)
    change(spec)
    account.let_run(app, spec)
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 0, out="App Platform can't roll back")
    assert account.changes() == ["PUT /apps"]
    expected = with_images(spec, releases[1])
    for job in expected["jobs"]:
        job["image"]["digest"] = releases[2]["slipway-app"]
    assert app.spec == expected
    assert env_values(app.spec)["JWT_SECRET"].startswith("EV[1:")


def test_only_the_images_are_rolled_back_beyond_the_platforms_ten_deployments(
    account: Account, app: App, releases: list[Images]
) -> None:
    for _ in range(11):
        account.let_run(app, app.spec)
    ended = account.run(*ROLLBACK)
    assert_ended(ended, 0, out="exceeded_revision_limit")
    assert running(app)["api"] == releases[1]["slipway-app"]
    assert running(app)["migrate"] == releases[2]["slipway-app"]


def test_only_the_images_are_rolled_back_when_the_validation_is_unavailable(
    account: Account, app: App, releases: list[Images]
) -> None:
    account.platform.faults.fail("POST", "/rollback/validate$", 503)
    account.platform.faults.fail("POST", "/propose$", 503)
    assert account.run(*ROLLBACK).code == 0
    assert account.changes() == ["PUT /apps"]
    assert running(app)["api"] == releases[1]["slipway-app"]
