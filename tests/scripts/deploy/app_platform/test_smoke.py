"""A release whose smoke test fails: the last good one is restored, with its spec and variables."""

import copy
from pathlib import Path

import pytest

from tests.scripts.deploy.app_platform.account import NEW, OLD, OLDER, Account, runs, with_images, write_env_file
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.runner import Outcome, ScriptedRunner
from tests.simulators.serving import Page

BROKEN = Page(503, {"code": "broken", "detail": "simulated failure"})


def break_release(runner: ScriptedRunner, release: dict[str, str]) -> None:
    """Let a release return 503 for new jobs."""
    runner.pages[release["slipway-app"], "POST /api/jobs"] = BROKEN


def test_a_failed_smoke_test_restores_the_last_release_with_its_spec(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    # The new spec does not have these settings of the last release.
    before = copy.deepcopy(app.spec)
    before["services"][0]["instance_count"] = 2
    before["envs"].append({"key": "RETENTION_DAYS", "value": "3", "scope": "RUN_TIME"})
    account.let_run(app, before)
    break_release(runner, new)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1)
    assert account.changes() == ["PUT /apps", "POST /apps/rollback"]
    assert [seen.body for seen in account.platform.seen("POST", "/rollback")] == [
        {"deployment_id": app.deployments[1].id, "skip_pin": True}
    ]
    assert app.active
    assert app.active.spec == app.spec == before
    assert "job: POST http" in ended.err
    assert " 503 broken: simulated failure" in ended.err
    assert f"{OLD[:12]} ({app.deployments[1].id}) is live again and healthy" in ended.err
    assert account.tags(new["slipway-app"]) == {f"sha-{NEW[:12]}"}
    assert app.pinned is None


def test_a_site_that_reports_another_commit_fails(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    runner.git_shas[new["slipway-app"]] = OLDER
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1, err=f"Expected release {NEW}")
    assert runs(app, old)


def test_an_unhealthy_restored_release_needs_attention(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    break_release(runner, new)
    runner.git_shas[old["slipway-app"]] = OLDER
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3)
    assert runs(app, old)
    assert "The smoke test failed:" in ended.err
    assert f"{OLD[:12]} ({app.deployments[0].id}) is unhealthy too" in ended.err


def test_a_failed_restore_needs_attention(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    break_release(runner, new)
    runner.rolls.extend([Outcome(True), Outcome(False, "no room"), Outcome(False, "still no room")])
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3)
    assert runs(app, new)
    assert "The rollback failed" in ended.err
    assert "still no room" in ended.err


def test_a_first_deployment_whose_smoke_test_fails_needs_attention(
    account: Account, runner: ScriptedRunner, tmp_path: Path
) -> None:
    break_release(runner, account.release(NEW, "sha"))
    ended = account.run("staging", "--tag", NEW, "--env-file", write_env_file(tmp_path / "env"))
    assert_ended(ended, 3, err="There is no earlier release to roll back to")
    assert account.changes() == ["POST /apps"]


def test_the_newest_tested_release_is_restored_instead_of_an_untested_one(
    account: Account, runner: ScriptedRunner
) -> None:
    older, old, new = account.release(OLDER, "sha", "tested"), account.release(OLD, "sha"), account.release(NEW, "sha")
    app = account.add_app("staging", older, old)
    break_release(runner, new)
    assert account.run("staging", "--tag", NEW).code == 1
    assert runs(app, older)


def test_without_a_tested_release_the_previous_one_is_restored(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    break_release(runner, new)
    assert account.run("staging", "--tag", NEW).code == 1
    assert runs(app, old)


def test_a_live_release_that_became_unhealthy_is_rolled_back(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha", "tested")
    app = account.add_app("staging", old)
    assert account.run("staging", "--tag", NEW).code == 0
    break_release(runner, new)
    assert account.run("staging", "--tag", NEW).code == 1
    assert runs(app, old)


def test_an_unavailable_registry_does_not_prevent_a_restore(account: Account, runner: ScriptedRunner) -> None:
    old, new = account.release(OLD, "sha", "tested"), account.release(NEW, "sha")
    app = account.add_app("staging", old)
    break_release(runner, new)
    faults = account.registry.faults
    account.platform.faults.call("PUT", "/v2/apps/", lambda: faults.fail("*", "/", 503, times=10_000))
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 1)
    assert runs(app, old)


def test_smoke_tests_the_live_release(account: Account, runner: ScriptedRunner) -> None:
    old = account.release(OLD, "sha")
    account.add_app("staging", old)
    ended = account.run("smoke", "--env", "staging")
    assert_ended(ended, 0, out=OLD)
    runner.git_shas[old["slipway-app"]] = NEW
    failed = account.run("smoke", "--env", "staging")
    assert_ended(failed, 3, err=f"Expected release {OLD}")
    assert account.changes() == []


def test_variables_that_break_the_site_are_rolled_back(
    account: Account, runner: ScriptedRunner, tmp_path: Path
) -> None:
    old = account.release(OLD, "sha", "tested")
    app = account.add_app("staging", old)
    before = copy.deepcopy(app.spec)
    # The same image is unhealthy with the new values.
    runner.pages[old["slipway-app"], "POST /api/jobs"] = BROKEN
    account.platform.faults.call("POST", "/rollback$", runner.pages.clear)
    path = write_env_file(tmp_path / "env", {"SMTP_HOST": "mail.example.org"})
    ended = account.run("sync-env", "--env", "staging", "--file", path)
    assert_ended(ended, 1)
    assert app.active
    assert app.active.spec == before
    assert with_images(before, old) == before


def test_smoke_url_replaces_the_platforms_address(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    old = account.release(OLD, "sha")
    app = account.add_app("staging", old)
    monkeypatch.setenv("SMOKE_URL", app.live_url + "/")
    app.live_url = "http://127.0.0.1:9"
    assert account.run("smoke", "--env", "staging").code == 0
    monkeypatch.delenv("SMOKE_URL")
    assert account.run("smoke", "--env", "staging").code == 3


@pytest.mark.parametrize(
    "environment",
    [{"SMOKE_EMAIL": "s@example.org"}, {"SMOKE_PASSWORD": NEW}, {"SMOKE_URL": "http://studio.example.org"}],
    ids=lambda environment: next(iter(environment)),
)
def test_invalid_smoke_variables_are_refused_before_anything_is_sent(
    account: Account, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    account.release(NEW, "sha")
    account.add_app("staging", account.release(OLD, "sha"))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err=next(iter(environment)))
    assert account.changes() == []


def test_the_smoke_tests_password_is_in_no_argument_list(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.add_app("staging", account.release(OLD, "sha"))
    monkeypatch.setenv("SMOKE_EMAIL", "nobody@example.org")
    monkeypatch.setenv("SMOKE_PASSWORD", "hidden-smoke-password")
    ended = account.run("smoke", "--env", "staging")
    assert_ended(ended, 3, err="sign-in: ")
    assert "hidden-smoke-password" not in ended.text + "".join(account.programs)
