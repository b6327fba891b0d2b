"""The registry is unavailable, refuses the login, or is read-only."""

import pytest

from scripts.deploy.app_platform.platform import AppPlatform
from scripts.deploy.environments import STAGING
from scripts.deploy.report import Report
from scripts.deploy.system import System
from tests.scripts.deploy.app_platform.account import NEW, OLD, Account, runs
from tests.scripts.deploy.tool import Clock, Ended, assert_ended
from tests.simulators.app_platform.model import App


@pytest.fixture
def app(account: Account) -> App:
    account.release(NEW, "sha")
    return account.add_app("staging", account.release(OLD, "sha"))


def deploy(account: Account) -> Ended:
    return account.run("staging", "--tag", NEW)


def test_a_deployment_is_refused_when_the_registry_is_unavailable(
    account: Account, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGE_PREFIX", "127.0.0.1:9/slipway/")
    ended = deploy(account)
    assert_ended(ended, 2, err="http://127.0.0.1:9/v2/slipway/slipway-app/manifests/")
    assert "can't be reached (ConnectError)" in ended.text
    assert account.changes() == []
    assert len(app.deployments) == 1


def test_failed_registry_requests_are_retried(account: Account, app: App) -> None:
    account.registry.faults.fail("GET", "/manifests/", 502, times=2)
    account.registry.faults.lose_request("GET", "/blobs/")
    account.registry.faults.rate_limit("GET", "/token", retry_after=3)
    ended = deploy(account)
    assert_ended(ended, 0)
    assert 3 in account.clock.waited
    assert len(app.deployments) == 2


def test_a_refused_login_is_reported(account: Account, app: App) -> None:
    account.registry.guard.credentials = ("somebody", "else")
    ended = deploy(account)
    assert_ended(ended, 2, err="refused the login (401): check that DIGITALOCEAN_ACCESS_TOKEN")
    assert account.changes() == []
    assert len(app.deployments) == 1


def test_the_tool_logs_in_again_when_its_login_expires(account: Account, app: App) -> None:
    account.platform.faults.call("PUT", "/v2/apps/", account.registry.guard.expire_tokens)
    ended = deploy(account)
    assert_ended(ended, 0)
    assert len(app.deployments) == 2


def test_the_tool_logs_in_again_when_its_login_expires_before_tagging(account: Account, app: App) -> None:
    account.registry.faults.call("PUT", "/manifests/", account.registry.guard.expire_tokens)
    ended = deploy(account)
    assert_ended(ended, 0)
    assert f"tested-{NEW[:12]}" in account.registry.tags("slipway-web")
    assert len(app.deployments) == 2


@pytest.mark.parametrize("prefix", ["registry.example.org/slipway/", "registry.digitalocean.com.example.org/slipway/"])
@pytest.mark.usefixtures("account")
def test_the_token_is_not_sent_to_another_registry(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGE_PREFIX", prefix)
    report = Report("status", "staging", "do", as_json=False, clock=Clock())
    registry = AppPlatform(System(), report, STAGING).registry()
    assert registry.prefix == prefix
    assert registry.username == ""
    assert registry.password == ""


def test_a_failed_tag_needs_attention_and_the_same_command_sets_it(account: Account, app: App) -> None:
    account.registry.guard.read_only = True
    ended = deploy(account)
    assert_ended(ended, 3)
    assert "returned 403: check that DIGITALOCEAN_ACCESS_TOKEN" in ended.text
    assert app.active
    digest = app.active.spec["services"][0]["image"]["digest"]
    assert account.tags(digest) == {f"sha-{NEW[:12]}"}
    account.registry.guard.read_only = False
    ended = deploy(account)
    assert_ended(ended, 0)
    assert account.changes() == ["PUT /apps"]
    assert account.tags(digest) == {f"sha-{NEW[:12]}", f"tested-{NEW[:12]}"}


def test_a_tag_whose_response_is_lost_is_read_back(account: Account, app: App) -> None:
    account.registry.faults.lose_response("PUT", "/manifests/")
    ended = deploy(account)
    assert_ended(ended, 0)
    assert runs(
        app,
        {
            name: account.registry.tags(name)[f"tested-{NEW[:12]}"]
            for name in account.platform.cloud.registry.repositories
        },
    )


def test_a_tag_moved_by_someone_else_is_not_moved_back(account: Account, app: App) -> None:
    other = account.registry.push_image("slipway-web", git_sha=NEW, version="another")
    push = account.platform.cloud.registry.push
    account.platform.faults.call("PUT", "/v2/apps/", lambda: push("slipway-web", other, f"tested-{NEW[:12]}"))
    ended = deploy(account)
    assert_ended(ended, 3, err="tags of releases never move")
    assert account.registry.tags("slipway-web")[f"tested-{NEW[:12]}"] == other
    assert len(app.deployments) == 2


@pytest.mark.usefixtures("app")
def test_without_a_prefix_the_accounts_only_registry_is_used(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMAGE_PREFIX")
    # The command fails before its first request to the real registry.
    account.platform.faults.fail("GET", "/v2/apps", 401)
    ended = account.run("status", "--env", "staging", "--json")
    assert_ended(ended, 2)
    assert ended.document["registry"] == "registry.digitalocean.com/slipway/"
    assert [seen.path for seen in account.platform.http.seen] == ["/v2/registries", "/v2/apps"]
