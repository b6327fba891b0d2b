"""Lost responses: a change is sent once, and its result is looked up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.scripts.deploy.app_platform.account import NEW, OLD, OLDER, Account, runs, with_images, write_env_file
from tests.scripts.deploy.tool import assert_ended
from tests.simulators.app_platform.model import App
from tests.simulators.faults import Faults


@pytest.fixture
def app(account: Account) -> App:
    """Staging runs OLD; the registry also has NEW."""
    account.release(NEW, "sha")
    return account.add_app("staging", account.release(OLD, "sha"))


@pytest.fixture
def faults(account: Account) -> Faults:
    return account.platform.faults


def lose_response(faults: Faults) -> None:
    faults.lose_response("PUT", "/v2/apps/")


def lose_request(faults: Faults) -> None:
    faults.lose_request("PUT", "/v2/apps/")


def fail_after_executing(faults: Faults) -> None:
    faults.fail_after_executing("PUT", "/v2/apps/", 504)


@pytest.mark.parametrize("fault", [lose_response, fail_after_executing])
def test_a_deployment_whose_response_is_lost_is_found(
    account: Account, app: App, faults: Faults, fault: Callable[[Faults], None]
) -> None:
    fault(faults)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 0, out="checking whether it was carried out")
    assert account.changes() == ["PUT /apps"]
    assert len(app.deployments) == 2
    assert f"tested-{NEW[:12]}" in str(account.registry.tags("slipway-app"))


def test_a_lost_request_is_reported_and_the_same_command_works_again(
    account: Account, app: App, faults: Faults
) -> None:
    lose_request(faults)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="no deployment of these images was found. Run the same command again to continue")
    assert account.changes() == ["PUT /apps"]
    assert len(app.deployments) == 1
    assert account.run("staging", "--tag", NEW).code == 0
    assert len(app.deployments) == 2


def test_an_earlier_deployment_of_these_images_is_not_mistaken_for_the_lost_one(
    account: Account, faults: Faults
) -> None:
    app = account.add_app("staging", account.release(NEW, "sha"), account.release(OLD, "sha"))
    lose_request(faults)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="no deployment of these images was found")
    assert len(app.deployments) == 2


def test_someone_elses_deployment_is_not_mistaken_for_the_lost_one(account: Account, app: App, faults: Faults) -> None:
    older = account.release(OLDER, "sha")
    faults.call("PUT", "/v2/apps/", lambda: account.platform.cloud.update(app, with_images(app.spec, older)))
    lose_request(faults)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="no deployment of these images was found")
    assert runs(app, older)


def test_a_server_error_without_effect_is_reported(account: Account, app: App, faults: Faults) -> None:
    faults.fail("PUT", "/v2/apps/", 500)
    ended = account.run("staging", "--tag", NEW)
    assert_ended(ended, 3, err="returned 500")
    assert account.changes() == ["PUT /apps"]
    assert len(app.deployments) == 1


@pytest.mark.parametrize("arrived", [True, False])
def test_a_new_app_is_searched_for_when_the_response_is_lost(
    account: Account, faults: Faults, tmp_path: Path, arrived: bool
) -> None:
    new = account.release(NEW, "sha")
    (faults.lose_response if arrived else faults.lose_request)("POST", "/v2/apps$")
    command = ["staging", "--tag", NEW, "--env-file", write_env_file(tmp_path / "env")]
    ended = account.run(*command)
    assert ended.code == (0 if arrived else 3), ended.text
    if not arrived:
        assert "Run the same command again to continue" in ended.err
        assert account.run(*command).code == 0
    assert len(account.platform.cloud.apps) == 1
    assert runs(account.app("staging"), new)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_rollback_whose_response_is_lost_is_sent_once(account: Account, faults: Faults, arrived: bool) -> None:
    app = account.add_app("staging", account.release(OLD, "sha", "tested"), account.release(NEW, "sha"))
    (faults.lose_response if arrived else faults.lose_request)("POST", "/rollback$")
    ended = account.run("rollback", "--env", "staging")
    assert ended.code == (0 if arrived else 3), ended.text
    assert account.changes() == ["POST /apps/rollback"]
    assert len(app.deployments) == (3 if arrived else 2)
