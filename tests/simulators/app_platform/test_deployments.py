"""Simulated deployments go through their phases, fail and supersede each other as on the real platform."""

from collections import deque

import httpx

from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.pace import OnClock
from tests.simulators.app_platform.runner import Outcome, ScriptedRunner
from tests.simulators.app_platform.server import Simulator
from tests.simulators.app_platform.tool import NEW, OLD, PHASES, Tool, make_spec
from tests.simulators.serving import Page


def test_deployment_goes_through_its_phases_and_goes_live(tool: Tool, app: App) -> None:
    deployment = tool.deploy(make_spec(NEW))
    assert tool.phases(deployment) == PHASES[1:]
    assert tool.app()["active_deployment"]["id"] == deployment
    assert httpx.get(app.live_url + "/api/version").json()["git_sha"] == "new"
    assert [found.phase for found in app.deployments] == ["SUPERSEDED", "ACTIVE"]


def test_new_deployment_has_no_steps_yet(tool: Tool) -> None:
    progress = tool.put(make_spec(NEW)).json()["app"]["pending_deployment"]["progress"]
    assert progress["success_steps"] == progress["total_steps"] == 0


def test_deployments_can_follow_a_clock(platform: Simulator, tool: Tool) -> None:
    clock = platform.cloud.pace = OnClock(seconds=10)
    deployment = tool.deploy(make_spec(NEW))
    assert {tool.poll(deployment)["phase"] for _ in range(5)} == {"PENDING_BUILD"}
    clock.turn(10)
    assert {tool.poll(deployment)["phase"] for _ in range(5)} == {"BUILDING"}
    clock.turn(60)
    assert tool.poll(deployment)["phase"] == "ACTIVE"


def test_a_failed_migration_ends_in_error_and_the_previous_deployment_stays_active(
    tool: Tool, app: App, runner: ScriptedRunner
) -> None:
    previous = app.active
    runner.jobs = deque([Outcome(False, "relation already exists")])
    deployment = tool.deploy(make_spec(NEW))
    assert tool.phases(deployment)[-1] == "ERROR"
    assert app.active is previous
    assert httpx.get(app.live_url + "/api/version").json()["git_sha"] == "old"
    assert [name for _, name, _ in runner.ran] == ["migrate"]
    assert tool.log(deployment, "DEPLOY") == "relation already exists"
    assert tool.log(deployment, "RUN", "migrate") == "relation already exists"
    assert tool.poll(deployment)["progress"]["error_steps"] == 1


def test_a_deployment_that_never_becomes_healthy_ends_in_error(tool: Tool, app: App, runner: ScriptedRunner) -> None:
    previous = app.active
    runner.rolls = deque([None, None, Outcome(False, "readiness probe failed: 503")])
    deployment = tool.deploy(make_spec(NEW))
    assert tool.phases(deployment) == [*PHASES[1:5], "DEPLOYING", "DEPLOYING", "ERROR"]
    assert app.active is previous
    assert deployment in runner.stopped


def test_digest_that_does_not_exist_ends_in_error(tool: Tool) -> None:
    missing = f"sha256:{'c' * 64}"
    deployment = tool.deploy(make_spec(missing))
    assert tool.phases(deployment) == ["BUILDING", "ERROR"]
    assert missing in tool.log(deployment, "BUILD")


def test_a_newer_deployment_supersedes_the_one_in_progress(tool: Tool, runner: ScriptedRunner) -> None:
    runner.rolls = deque([None] * 9)
    first = tool.deploy(make_spec(NEW))
    assert tool.poll(first)["phase"] == "BUILDING"
    second = tool.deploy(make_spec(OLD))
    both = tool.app()
    assert "in_progress_deployment" in both
    assert both["in_progress_deployment"]["id"] == second
    assert tool.poll(first)["phase"] == "SUPERSEDED"
    assert first in runner.stopped


def test_deployment_can_be_cancelled_once(tool: Tool) -> None:
    deployment = tool.deploy(make_spec(NEW))
    cancelled = tool.post(f"/deployments/{deployment}/cancel")
    assert cancelled.json()["deployment"]["phase"] == "CANCELED"
    assert tool.post(f"/deployments/{deployment}/cancel").status_code == 400


def test_the_runner_serves_the_health_page(app: App, runner: ScriptedRunner) -> None:
    assert httpx.get(app.live_url + "/health/ready").status_code == 200
    runner.pages["", "/health/ready"] = Page(503, {"status": "unavailable"})
    assert httpx.get(app.live_url + "/health/ready").status_code == 503


def test_another_deployment_can_start_between_two_requests(platform: Simulator, tool: Tool, app: App) -> None:
    platform.faults.call("PUT", "/v2/apps/", lambda: platform.cloud.update(app, make_spec(OLD)))
    mine = tool.deploy(make_spec(NEW))
    assert mine == app.deployments[-1].id
    assert len(app.deployments) == 3


def test_deployments_are_listed_newest_first_in_pages(tool: Tool, app: App) -> None:
    newest = [tool.deploy(make_spec(NEW)) for _ in range(2)][::-1]
    page = tool.http.get(f"{tool.base}/deployments", params={"per_page": 2}).json()
    assert [found["id"] for found in page["deployments"]] == newest
    assert page["meta"] == {"total": 3}
    rest = tool.http.get(page["links"]["pages"]["next"]).json()
    assert [found["id"] for found in rest["deployments"]] == [app.deployments[0].id]
