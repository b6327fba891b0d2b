"""Simulated rollbacks pin, commit, revert and warn as on the real platform."""

from collections import deque

import httpx
import pytest

from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import Outcome, SchemaRunner, ScriptedRunner
from tests.simulators.app_platform.server import Simulator, app_platform
from tests.simulators.app_platform.tool import NEW, OLD, Tool, make_spec
from tests.simulators.serving import Page


def test_rollback_restores_image_and_envs_and_allows_deployments(tool: Tool, app: App) -> None:
    target = app.deployments[0]
    tool.phases(tool.deploy(make_spec(NEW)))
    assert tool.post("/rollback/validate", deployment_id=target.id).json() == {"valid": True, "warnings": []}
    deployment = tool.post("/rollback", deployment_id=target.id, skip_pin=True).json()["deployment"]
    assert deployment["cloned_from"] == target.id
    assert tool.phases(deployment["id"])[-1] == "ACTIVE"
    assert tool.app()["spec"] == target.spec
    assert httpx.get(app.live_url + "/api/version").json()["git_sha"] == "old"
    assert tool.put(make_spec(NEW)).status_code == 200
    listed = tool.http.get(f"{tool.base}/deployments", params={"deployment_types": "MANUAL_ROLLBACK"}).json()
    assert [found["id"] for found in listed["deployments"]] == [deployment["id"]]


def test_pinned_app_refuses_deployments_until_commit(tool: Tool, app: App) -> None:
    target = app.deployments[0]
    tool.phases(tool.deploy(make_spec(NEW)))
    rolled = tool.post("/rollback", deployment_id=target.id, skip_pin=False).json()["deployment"]["id"]
    assert tool.app()["pinned_deployment"]["id"] == rolled
    assert tool.put(make_spec(NEW)).status_code == 409
    assert tool.post("/deployments", force_build=True).status_code == 409
    validated = tool.post("/rollback/validate", deployment_id=target.id).json()
    assert validated["valid"] is False
    assert validated["error"]["code"] == "app_pinned"
    committed = tool.post("/rollback/commit")
    assert committed.status_code == 200
    assert committed.content == b""
    assert "pinned_deployment" not in tool.app()
    assert tool.put(make_spec(NEW)).status_code == 200


def test_revert_deploys_the_spec_from_before_the_rollback(tool: Tool, app: App) -> None:
    target = app.deployments[0]
    tool.phases(tool.deploy(make_spec(NEW)))
    tool.phases(tool.post("/rollback", deployment_id=target.id).json()["deployment"]["id"])
    reverted = tool.post("/rollback/revert").json()["deployment"]["id"]
    assert tool.phases(reverted)[-1] == "ACTIVE"
    assert httpx.get(app.live_url + "/api/version").json()["git_sha"] == "new"
    assert tool.post("/rollback/revert").status_code == 400


def test_rollback_to_a_failed_or_too_old_deployment_is_refused(tool: Tool, app: App, runner: ScriptedRunner) -> None:
    first = app.deployments[0]
    runner.jobs = deque([Outcome(False)])
    failed = tool.deploy(make_spec(NEW))
    tool.phases(failed)
    for _ in range(10):
        tool.phases(tool.deploy(make_spec(NEW)))
    codes = [tool.post("/rollback/validate", deployment_id=old).json()["error"]["code"] for old in (failed, first.id)]
    assert codes == ["incompatible_phase", "exceeded_revision_limit"]
    assert tool.post("/rollback", deployment_id=failed).status_code == 400


def test_rollback_warns_of_images_without_a_digest(platform: Simulator, tool: Tool) -> None:
    spec = make_spec(NEW)
    spec["services"][0]["image"] = {"registry_type": "DOCR", "repository": "app", "tag": "sha-new"}
    tagged = tool.deploy(spec)
    assert tool.phases(tagged)[-1] == "ACTIVE"
    (warning,) = tool.post("/rollback/validate", deployment_id=tagged).json()["warnings"]
    assert warning["code"] == "image_source_missing_digest"
    assert warning["components"] == ["api"]


@pytest.mark.parametrize("tolerated", [True, False])
def test_rollback_with_a_migration_older_than_the_schema(tolerated: bool) -> None:
    revisions = {OLD: ["0001"], NEW: ["0001", "0002"]}
    runner = SchemaRunner(revisions=revisions, database="0001", tolerates_newer_schema=lambda spec: tolerated)
    with app_platform(runner) as platform:
        for digest in (OLD, NEW):
            platform.cloud.registry.push("app", digest)
        app = platform.add_app(make_spec(OLD))
        tool = Tool(platform, app)
        tool.phases(tool.deploy(make_spec(NEW)))
        assert runner.database == "0002"
        rolled = tool.post("/rollback", deployment_id=app.deployments[0].id, skip_pin=True).json()["deployment"]["id"]
        assert tool.phases(rolled)[-1] == ("ACTIVE" if tolerated else "ERROR")
        assert "Can't locate revision" in tool.log(rolled, "DEPLOY")


def test_the_site_is_healthy_again_after_the_rollback(tool: Tool, app: App, runner: ScriptedRunner) -> None:
    runner.pages[NEW, "/health/ready"] = Page(503, {"status": "unavailable"})
    tool.phases(tool.deploy(make_spec(NEW)))
    assert httpx.get(app.live_url + "/health/ready").status_code == 503
    rolled = tool.post("/rollback", deployment_id=app.deployments[0].id, skip_pin=True).json()["deployment"]["id"]
    tool.phases(rolled)
    assert httpx.get(app.live_url + "/health/ready").status_code == 200
