"""The simulator encrypts and deletes secrets, adds defaults and refuses specs as the real platform does."""

from typing import Any

import pytest
import yaml

from tests.servers import ROOT
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.app_platform.server import Simulator
from tests.simulators.app_platform.spec import images
from tests.simulators.app_platform.tool import NEW, OLD, Tool, make_spec, secret


def test_secret_becomes_ciphertext_and_stays_when_sent_back(tool: Tool, runner: ScriptedRunner) -> None:
    (kept,) = tool.app()["spec"]["services"][0]["envs"]
    assert kept["value"].startswith("EV[1:")
    deployment = tool.deploy(make_spec(NEW, kept))
    tool.phases(deployment)
    assert tool.app()["spec"]["services"][0]["envs"] == [kept]
    assert runner.ran[-1][2]["services"][0]["envs"][0]["value"] == "first"


def test_the_same_secret_gets_a_new_ciphertext(tool: Tool) -> None:
    before = tool.app()["spec"]["services"][0]["envs"]
    tool.put(make_spec(NEW, secret("first")))
    assert tool.app()["spec"]["services"][0]["envs"] != before


def test_an_empty_secret_silently_deletes_the_value(tool: Tool, runner: ScriptedRunner) -> None:
    response = tool.put(make_spec(NEW, secret("")))
    assert response.status_code == 200
    assert "value" not in response.json()["app"]["spec"]["services"][0]["envs"][0]
    tool.phases(response.json()["app"]["pending_deployment"]["id"])
    assert "value" not in runner.ran[-1][2]["services"][0]["envs"][0]


def test_a_spec_replaces_the_previous_one_completely(tool: Tool) -> None:
    tool.put(make_spec(NEW))
    assert tool.app()["spec"]["services"][0]["envs"] == []


def test_ciphertext_of_another_app_is_refused(platform: Simulator, tool: Tool) -> None:
    other = platform.add_app({**make_spec(OLD, secret("theirs")), "name": "staging"})
    assert tool.put(make_spec(NEW, *other.spec["services"][0]["envs"])).status_code == 400


def test_defaults_are_written_out(tool: Tool) -> None:
    spec = make_spec(OLD, {"key": "LOG_LEVEL", "value": "info"})
    del spec["services"][0]["http_port"]
    service = tool.put(spec).json()["app"]["spec"]["services"][0]
    assert service["envs"][0]["scope"] == "RUN_AND_BUILD_TIME"
    assert service["http_port"] == 8080
    assert service["instance_count"] == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image": {"registry_type": "DOCR", "repository": "registry.digitalocean.com/x/app"}}, "name alone"),
        ({"image": {"registry_type": "DOCR", "registry": "x", "repository": "app"}}, "must be empty"),
        ({"image": {"registry_type": "DOCR", "repository": "app", "tag": "x", "digest": OLD}}, "exclude"),
        ({"name": "worker"}, "not unique"),
        ({"health_check": {"http_pth": "/health/ready"}}, "http_pth"),
        ({"instance_count": 2, "autoscaling": {"min_instance_count": 1, "max_instance_count": 2}}, "excludes"),
    ],
)
def test_an_invalid_spec_is_refused(tool: Tool, change: dict[str, Any], message: str) -> None:
    spec = make_spec(OLD)
    spec["services"][0] |= change
    for response in (tool.put(spec), tool.http.post("/v2/apps/propose", json={"spec": spec})):
        assert response.status_code == 400
        assert message in response.json()["message"]


def test_static_site_from_an_image_is_refused(tool: Tool) -> None:
    spec = make_spec(OLD) | {"static_sites": [{"name": "web", "image": make_spec(OLD)["services"][0]["image"]}]}
    assert "static site" in tool.put(spec).json()["message"]


def test_propose_changes_nothing(tool: Tool, app: App) -> None:
    body = {"spec": make_spec(NEW), "app_id": app.id}
    assert tool.http.post("/v2/apps/propose", json=body).json()["app_name_available"]
    assert tool.app()["active_deployment"]["spec"] == app.spec
    assert len(app.deployments) == 1


@pytest.mark.parametrize("name", ["app.staging.yaml", "app.production.yaml"])
def test_specs_of_the_project_are_accepted(platform: Simulator, tool: Tool, name: str) -> None:
    spec = yaml.safe_load((ROOT / ".do" / name).read_text())
    for _, image in images(spec):
        image.pop("tag", None)
        image["digest"] = OLD
        platform.cloud.registry.push(image["repository"], OLD)
    response = tool.http.post("/v2/apps/propose", json={"spec": spec})
    assert response.status_code == 200, response.text
    app = platform.add_app(spec)
    again = Tool(platform, app)
    assert again.phases(again.deploy(again.app()["spec"]))[-1] == "ACTIVE"
