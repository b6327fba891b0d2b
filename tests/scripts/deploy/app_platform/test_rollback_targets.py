"""The targets of a rollback: a commit, a tag, a deployment id, or something invalid."""

import pytest

from tests.scripts.deploy.app_platform.account import NEW, OLD, OLDER, Account, Images, running, runs, with_images
from tests.scripts.deploy.tool import Ended, assert_ended
from tests.simulators.app_platform.model import App


@pytest.fixture
def releases(account: Account) -> list[Images]:
    """Three releases. Only the newest passed its smoke test; a release that the user names needs no test."""
    return [account.release(OLDER, "sha"), account.release(OLD, "sha"), account.release(NEW, "sha", "production")]


@pytest.fixture
def app(account: Account, releases: list[Images]) -> App:
    return account.add_app("production", *releases)


def roll_back(account: Account, to: str) -> Ended:
    return account.run("rollback", "--env", "production", "--yes", "--to", to)


@pytest.mark.parametrize("to", [OLDER, OLDER[:12], f"sha-{OLDER[:12]}", f"tested-{OLDER[:12]}"])
def test_a_rollback_accepts_a_commit_or_its_tag(account: Account, app: App, releases: list[Images], to: str) -> None:
    ended = roll_back(account, to)
    assert_ended(ended, 0)
    assert runs(app, releases[0])
    assert account.changes() == ["POST /apps/rollback"]


def test_a_rollback_accepts_a_deployment_id(account: Account, app: App, releases: list[Images]) -> None:
    ended = roll_back(account, app.deployments[1].id)
    assert_ended(ended, 0)
    (post,) = account.platform.seen("POST", "/rollback")
    assert post.body["deployment_id"] == app.deployments[1].id
    assert runs(app, releases[1])


def test_a_rollback_accepts_an_earlier_deployment_of_the_live_images(
    account: Account, app: App, releases: list[Images]
) -> None:
    account.let_run(app, app.spec)
    ended = roll_back(account, app.deployments[2].id)
    assert_ended(ended, 0)
    assert account.changes() == ["POST /apps/rollback"]
    assert app.deployments[-1].cloned_from == app.deployments[2].id


def test_a_rollback_to_the_live_release_only_tests_it(account: Account, app: App) -> None:
    ended = roll_back(account, NEW)
    assert_ended(ended, 0, out="stays live")
    assert account.changes() == []
    assert len(app.deployments) == 3


def test_a_release_older_than_the_history_is_restored_from_the_registry(account: Account, app: App) -> None:
    ancient = account.release("d4" * 20, "sha", "production")
    ended = roll_back(account, "d4" * 20)
    assert_ended(ended, 0)
    assert account.changes() == ["PUT /apps"]
    assert running(app)["web"] == ancient["slipway-web"]
    assert running(app)["beat"] == ancient["slipway-app"]


def test_a_release_that_never_passed_its_smoke_test_here_is_refused(account: Account, app: App) -> None:
    account.release("d4" * 20, "sha", "tested")
    ended = roll_back(account, f"tested-{'d4' * 6}")
    assert_ended(ended, 2, err=f"never passed its smoke test in production: no production-{'d4' * 6}")
    assert len(app.deployments) == 3


@pytest.mark.parametrize("to", ["latest", "9f0b1c2d-0000-4000-8000-000000000000", f"sha-{OLD[:12]}-dirty", "abc123"])
def test_an_unknown_target_is_refused(account: Account, app: App, to: str) -> None:
    ended = roll_back(account, to)
    assert_ended(ended, 2, err="is not a release")
    assert account.changes() == []
    assert len(app.deployments) == 3


def test_warnings_of_the_platform_are_shown(account: Account, app: App, releases: list[Images]) -> None:
    by_tag = with_images(app.spec, releases[1])
    by_tag["jobs"][0]["image"] = {"registry_type": "DOCR", "repository": "slipway-app", "tag": f"sha-{OLD[:12]}"}
    account.let_run(app, by_tag)
    target = app.deployments[-1].id
    account.let_run(app, with_images(app.deployments[0].spec, releases[2]))
    ended = roll_back(account, target)
    assert_ended(ended, 0, out="warning: image_source_missing_digest")
