"""sync-env on App Platform: only the given variables change, and a failure is rolled back."""

from collections import deque
from pathlib import Path
from typing import Any

import pytest

from tests.scripts.deploy.app_platform.account import (
    NEW,
    OLD,
    VALUES,
    Account,
    env_values,
    running,
    runs,
    with_images,
    write_env_file,
)
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import Outcome, ScriptedRunner
from tests.simulators.serving import Page

CHANGED = {name: f"https://hidden.example/{name}" for name in ("SMTP_HOST", "JWT_SECRET", "STORAGE_ORIGINS")}
FAILS: deque[Outcome | None] = deque([Outcome(False, "unhealthy")])


@pytest.fixture
def old(account: Account) -> dict[str, str]:
    return account.release(OLD, "sha", "tested")


@pytest.fixture
def app(account: Account, old: dict[str, str]) -> App:
    """Staging, with two variables that are not in the spec file."""
    app = account.add_app("staging", old)
    spec = with_images(app.spec, old)
    spec["envs"] += [
        {"key": "GOOGLE_CLIENT_ID", "scope": "RUN_TIME", "value": "hidden-id"},
        {"key": "GOOGLE_CLIENT_SECRET", "scope": "RUN_TIME", "type": "SECRET", "value": "hidden-google"},
    ]
    account.let_run(app, spec)
    return app


def sync(account: Account, tmp_path: Path, values: dict[str, str], *more: str) -> Any:
    return account.run("sync-env", "--env", "staging", "--file", write_env_file(tmp_path / "env", values), *more)


def envs(spec: Any, component: str = "") -> dict[str, Any]:
    """Return the variables of a component, or of the app, as they were sent."""
    kinds = ("services", "workers", "jobs")
    levels = {one["name"]: one for kind in kinds for one in spec[kind]} | {"": spec}
    return {env["key"]: env for env in levels[component].get("envs") or []}


def sent(account: Account) -> Any:
    (put,) = account.platform.seen("PUT")
    return put.body["spec"]


def test_only_the_given_variables_change_and_other_secrets_are_sent_unchanged(
    account: Account, app: App, old: dict[str, str], tmp_path: Path
) -> None:
    before = envs(app.spec)
    ended = sync(account, tmp_path, CHANGED | {"SENTRY_DSN": "hidden-sentry"})
    assert_ended(ended, 0)
    assert account.changes() == ["PUT /apps"]
    after = envs(sent(account))
    assert after.pop("SENTRY_DSN") == {
        "key": "SENTRY_DSN",
        "scope": "RUN_TIME",
        "type": "SECRET",
        "value": "hidden-sentry",
    }
    assert after.pop("SMTP_HOST") == before.pop("SMTP_HOST") | {"value": CHANGED["SMTP_HOST"]}
    assert after.pop("JWT_SECRET") == before.pop("JWT_SECRET") | {"value": CHANGED["JWT_SECRET"]}
    assert after == before
    assert after["SMTP_PASSWORD"]["value"].startswith("EV[")
    assert envs(sent(account), "web")["STORAGE_ORIGINS"]["value"] == CHANGED["STORAGE_ORIGINS"]
    assert "STORAGE_ORIGINS" not in after
    clear = env_values(account.platform.cloud.vault.decrypt(app.spec))
    others = {name: value for name, value in VALUES.items() if name not in CHANGED}
    assert {name: clear[name] for name in [*CHANGED, *others]} == CHANGED | others
    assert runs(app, old)
    assert envs(app.spec)["SENTRY_DSN"]["value"].startswith("EV[")
    assert "hidden" not in ended.text
    assert "ok      event" in ended.out


def test_the_live_images_stay_when_the_spec_contains_a_failed_release(
    account: Account, app: App, old: dict[str, str], runner: ScriptedRunner, tmp_path: Path
) -> None:
    runner.jobs = FAILS.copy()
    failed = account.platform.cloud.update(app, with_images(app.spec, account.release(NEW, "sha")))
    while failed.under_way:
        account.platform.cloud.app(app.id)
    ended = sync(account, tmp_path, CHANGED)
    assert_ended(ended, 0)
    kinds = ("services", "workers", "jobs")
    images = [one["image"] for kind in kinds for one in sent(account)[kind]]
    assert [image["digest"] for image in images] == [old[image["repository"]] for image in images]


@pytest.mark.parametrize("prune", [False, True])
def test_pruning_removes_only_variables_that_only_the_platform_has(
    account: Account, app: App, runner: ScriptedRunner, tmp_path: Path, prune: bool
) -> None:
    before = envs(app.spec)
    runner.jobs = FAILS.copy()
    ended = sync(account, tmp_path, {"SMTP_HOST": "hidden-mail"}, *(["--prune"] if prune else []))
    assert_ended(ended, 1)
    removed = {"GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"} if prune else set()
    after = envs(sent(account))
    assert after.keys() == before.keys() - removed
    assert all(env["value"] for env in after.values())
    assert envs(sent(account), "web").keys() == {"STORAGE_ORIGINS"}
    assert envs(sent(account), "worker").keys() == {"METRICS_PORT"}


def test_a_failed_deployment_keeps_the_values_and_the_file_can_be_sent_again(
    account: Account, app: App, runner: ScriptedRunner, tmp_path: Path
) -> None:
    runner.jobs = FAILS.copy()
    ended = sync(account, tmp_path, {"SMTP_HOST": "hidden-mail"})
    assert_ended(ended, 1, err=f"{OLD[:12]}")
    assert "is still live" in ended.err
    assert app.active
    assert env_values(app.active.spec)["SMTP_HOST"] == VALUES["SMTP_HOST"]
    runner.jobs = FAILS.copy()
    assert sync(account, tmp_path, {"SMTP_HOST": "hidden-mail"}).code == 1
    assert len(account.platform.seen("PUT")) == 2


def test_values_that_break_the_site_are_rolled_back_by_the_platform(
    account: Account, app: App, runner: ScriptedRunner, old: dict[str, str], tmp_path: Path
) -> None:
    good = app.active
    runner.pages[old["slipway-app"], "GET /api/version"] = Page(503, {"code": "unavailable"})
    account.platform.faults.call("POST", "/rollback$", runner.pages.clear)
    ended = sync(account, tmp_path, CHANGED)
    assert_ended(ended, 1, err="is live again and healthy")
    (rollback,) = account.platform.seen("POST", "/rollback")
    assert good
    assert rollback.body == {"deployment_id": good.id, "skip_pin": True}
    clear = env_values(account.platform.cloud.vault.decrypt(app.spec))
    assert {name: clear[name] for name in CHANGED} == {name: VALUES[name] for name in CHANGED}
    assert running(app)["api"] == old["slipway-app"]


def test_a_dry_run_shows_names_and_sends_nothing(account: Account, app: App, tmp_path: Path) -> None:
    ended = sync(account, tmp_path, CHANGED, "--dry-run", "--prune")
    assert_ended(ended, 0)
    assert {seen.method for seen in account.platform.http.seen} == {"GET"}
    actions = {cells[0]: cells[1:5] for cells in map(str.split, ended.out.splitlines()) if cells[0].isupper()}
    assert actions["JWT_SECRET"] == ["yes", "yes", "secret", "set"]
    assert actions["SMTP_HOST"] == ["yes", "yes", "general", "set"]
    assert actions["MAIL_FROM"] == ["no", "yes", "general", "keep"]
    assert actions["GOOGLE_CLIENT_SECRET"] == ["no", "yes", "secret", "remove"]
    assert "would send 3 and remove 2 variables" in ended.out
    assert "hidden" not in ended.text


def test_a_file_with_the_platforms_values_changes_nothing(account: Account, app: App, tmp_path: Path) -> None:
    values = {name: VALUES[name] for name in ("SMTP_HOST", "S3_BUCKET", "STORAGE_ORIGINS")}
    ended = sync(account, tmp_path, values)
    assert_ended(ended, 0, out="already has the variables of")
    assert account.changes() == []


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("DATABASE_POOL_SIZE", ".do/app.staging.yaml sets DATABASE_POOL_SIZE"),
        ("SMTP_PASWORD", "did you mean SMTP_PASSWORD?"),
    ],
)
def test_variables_set_in_git_and_unknown_variables_are_refused(
    account: Account, tmp_path: Path, name: str, message: str
) -> None:
    ended = sync(account, tmp_path, {name: "hidden-value", "SMTP_HOST": "hidden-mail"})
    assert_ended(ended, 2, err=message)
    assert "hidden" not in ended.text
    assert account.changes() == []


def test_sync_env_is_refused_during_a_deployment(account: Account, app: App, tmp_path: Path) -> None:
    account.platform.cloud.deploy_again(app)
    ended = sync(account, tmp_path, CHANGED)
    assert_ended(ended, 2, err="wait for it")
    assert account.changes() == []


def test_sync_env_is_refused_before_the_first_deployment(account: Account, app: App, tmp_path: Path) -> None:
    app.active = None
    ended = sync(account, tmp_path, CHANGED)
    assert_ended(ended, 2, err="ENV_FILE=")


def test_production_requires_a_confirmation(account: Account, old: dict[str, str], tmp_path: Path) -> None:
    account.add_app("production", old)
    path = write_env_file(tmp_path / "env", CHANGED)
    ended = account.run("sync-env", "--env", "production", "--file", path)
    assert_ended(ended, 2, err="Not confirmed")
    assert account.changes() == []
