"""Rate limits, errors of the platform, and expired tokens."""

from collections import deque

import pytest

from tests.scripts.deploy.app_platform.account import NEW, OLD, Account
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.faults import Faults
from tests.simulators.serving import Page


@pytest.fixture
def app(account: Account) -> App:
    """Staging runs OLD; the registry also has NEW."""
    account.release(NEW, "sha")
    return account.add_app("staging", account.release(OLD, "sha"))


@pytest.fixture
def faults(account: Account) -> Faults:
    return account.platform.faults


@pytest.mark.usefixtures("app")
def test_a_deployment_rejected_by_the_platform_is_refused(account: Account, faults: Faults) -> None:
    faults.fail("PUT", "/v2/apps/", 422)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="the simulator was set to return 422")
    assert account.changes() == ["PUT /apps"]


@pytest.mark.usefixtures("app")
def test_a_spec_that_fails_validation_is_not_sent(account: Account, faults: Faults) -> None:
    faults.fail("POST", "/propose", 400)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="App Platform rejected the spec")
    assert account.changes() == []


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_rate_limited_request_is_repeated_after_the_given_time(
    account: Account, app: App, faults: Faults, method: str
) -> None:
    faults.rate_limit(method, "/v2/apps/", retry_after=17, times=2)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 0)
    assert account.clock.waited.count(17) == 2
    assert len(app.deployments) == 2


@pytest.mark.usefixtures("app")
def test_an_endless_rate_limit_is_refused(account: Account, faults: Faults) -> None:
    faults.rate_limit("PUT", "/v2/apps/", retry_after=900, times=99)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="returned 429")
    # The tool never waits longer, whatever the response says.
    assert max(account.clock.waited) == 60
    assert len(account.platform.seen("PUT")) == 6


@pytest.mark.parametrize(("path", "status"), [("/v2/apps$", 502), ("/deployments/", 503), ("/deployments$", 524)])
def test_get_requests_are_retried(account: Account, app: App, faults: Faults, path: str, status: int) -> None:
    faults.fail("GET", path, status, times=3)
    faults.lose_request("GET", path, skip=4)
    assert account.run("staging", "--tag", NEW).code == 0
    assert len(app.deployments) == 2


def test_a_deployment_is_refused_when_the_deployments_can_not_be_listed(
    account: Account, app: App, faults: Faults
) -> None:
    faults.fail("GET", "/deployments$", 524, times=99)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="returned 524")
    assert account.changes() == []
    assert len(app.deployments) == 1


def test_a_platform_that_becomes_unavailable_needs_attention(
    account: Account, app: App, faults: Faults, runner: ScriptedRunner
) -> None:
    runner.rolls = deque([None] * 99)
    faults.fail("GET", "/deployments/", 503, times=99, skip=2)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="returned 503")
    assert app.deployments[-1].under_way


def test_a_response_that_is_not_json_gives_a_readable_error(
    account: Account, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGITALOCEAN_API_URL", app.live_url)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="404")
    monkeypatch.setenv("DIGITALOCEAN_API_URL", f"{app.live_url}/?")
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="something that is not a response of this API")


def test_an_unexpected_response_gives_a_readable_error_and_a_json_document(
    account: Account, app: App, runner: ScriptedRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.pages[app.spec["services"][0]["image"]["digest"], "GET /v2/apps"] = Page(200, {"apps": [{"id": "x"}]})
    monkeypatch.setenv("DIGITALOCEAN_API_URL", app.live_url)
    ended = account.run("staging", "--tag", NEW, "--json")
    assert ended.code == 2
    assert ended.document["exit_code"] == 2
    assert "unexpected error in the deploy tool: KeyError" in ended.document["message"]


@pytest.mark.usefixtures("app")
def test_an_expired_token_is_refused(account: Account) -> None:
    account.platform.cloud.tokens.clear()
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="DIGITALOCEAN_ACCESS_TOKEN is invalid or expired")
    assert account.changes() == []


def test_a_token_that_expires_does_not_stop_the_deployment(
    account: Account, app: App, faults: Faults, runner: ScriptedRunner
) -> None:
    runner.rolls = deque([None] * 9)
    tokens = account.platform.cloud.tokens
    faults.call("GET", "/deployments/", tokens.clear, skip=1)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="invalid or expired")
    assert account.changes() == ["PUT /apps"]
    assert app.deployments[-1].under_way
    tokens.add(account.platform.token)
    assert account.run("staging", "--tag", NEW).code == 0
    assert len(app.deployments) == 2


@pytest.mark.usefixtures("app")
def test_a_missing_token_scope_is_reported(account: Account, faults: Faults) -> None:
    faults.fail("PUT", "/v2/apps/", 403)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 2, err="lacks a scope")


def test_nothing_is_requested_without_a_token(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DIGITALOCEAN_ACCESS_TOKEN")
    ended = account.run("status", "--env", "staging")
    assert_ended(ended, 2, err="DIGITALOCEAN_ACCESS_TOKEN is not set")
    monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", account.platform.token)
    monkeypatch.setenv("DIGITALOCEAN_API_URL", "http://api.example.org")
    ended = account.run("status", "--env", "staging")
    assert_ended(ended, 2, err="must start with https://")
