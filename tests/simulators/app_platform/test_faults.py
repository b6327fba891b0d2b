"""The simulator produces faults on demand, and refuses invalid tokens."""

import httpx
import pytest

from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.server import Simulator
from tests.simulators.app_platform.tool import NEW, Tool, make_spec


def test_wrong_token_is_refused(platform: Simulator, app: App) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": platform.token}):
        response = httpx.get(f"{platform.url}/v2/apps/{app.id}", headers=headers)
        assert response.status_code == 401
        assert response.json()["id"] == "unauthorized"


def test_a_token_can_expire_between_requests(platform: Simulator, tool: Tool) -> None:
    platform.faults.call("GET", "/deployments/", platform.cloud.tokens.clear, skip=1)
    deployment = tool.deploy(make_spec(NEW))
    statuses = [tool.http.get(f"{tool.base}/deployments/{deployment}").status_code for _ in range(3)]
    assert statuses == [200, 401, 401]


def test_a_rate_limited_response_has_retry_after(platform: Simulator, tool: Tool) -> None:
    platform.faults.rate_limit("GET", "/v2/apps/", retry_after=7, times=2)
    first, second, third = (tool.http.get(tool.base) for _ in range(3))
    assert [first.status_code, second.status_code, third.status_code] == [429, 429, 200]
    assert first.headers["retry-after"] == "7"
    assert first.headers["ratelimit-remaining"] == "0"
    assert first.json()["id"] == "too_many_requests"
    assert int(third.headers["ratelimit-remaining"]) > 0


@pytest.mark.parametrize("status", [500, 502, 503, 504, 524])
def test_server_errors_are_simulated(platform: Simulator, tool: Tool, app: App, status: int) -> None:
    platform.faults.fail("PUT", "/v2/apps/", status)
    assert tool.put(make_spec(NEW)).status_code == status
    assert len(app.deployments) == 1
    assert tool.put(make_spec(NEW)).status_code == 200


def test_a_gateway_error_can_follow_an_executed_request(platform: Simulator, tool: Tool, app: App) -> None:
    platform.faults.fail_after_executing("PUT", "/v2/apps/", 504)
    assert tool.put(make_spec(NEW)).status_code == 504
    assert len(app.deployments) == 2


@pytest.mark.parametrize("executed", [True, False])
def test_a_connection_is_closed_without_a_response(platform: Simulator, tool: Tool, app: App, executed: bool) -> None:
    lose = platform.faults.lose_response if executed else platform.faults.lose_request
    lose("PUT", "/v2/apps/")
    with pytest.raises(httpx.RemoteProtocolError):
        tool.put(make_spec(NEW))
    assert len(app.deployments) == (2 if executed else 1)
    assert [(seen.status, seen.body["spec"]["name"]) for seen in platform.seen("PUT")] == [(0, "slipway")]


def test_faults_occur_in_their_given_order(platform: Simulator, tool: Tool) -> None:
    platform.faults.fail("GET", "/v2/apps/", 503)
    platform.faults.rate_limit("GET", "/v2/apps/")
    platform.faults.fail("GET", "/v2/apps/", 500, skip=3)
    assert [tool.http.get(tool.base).status_code for _ in range(5)] == [503, 429, 200, 500, 200]
