"""The simulator conforms to DigitalOcean's OpenAPI document, and detects requests that do not."""

import json
from typing import Any

import pytest

from tests.simulators.app_platform.contract import DOCUMENT, load_contract
from tests.simulators.app_platform.extract import OPERATIONS, references
from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.server import Simulator
from tests.simulators.app_platform.tool import NEW, OLD, Tool, make_spec


def test_the_extract_is_complete_and_names_its_source() -> None:
    document = json.loads(DOCUMENT.read_text())
    contract = load_contract()
    assert all(contract.resolve({"$ref": ref}) for ref in references(document))
    assert document["paths"].keys() == OPERATIONS.keys()
    assert "7c1300c" in document["info"]["x-source"]
    assert document["info"]["license"]["name"] == "Apache-2.0"


def test_the_registry_lists_the_digest_of_a_tag(platform: Simulator, tool: Tool) -> None:
    platform.cloud.registry.push("my/app", NEW, "tested-new")
    tags = tool.http.get("/v2/registries/slipway/repositories/my%2Fapp/tags").json()["tags"]
    assert [(found["tag"], found["manifest_digest"]) for found in tags] == [("tested-new", NEW)]
    manifests = tool.http.get("/v2/registries/slipway/repositories/app/digests").json()["manifests"]
    assert {found["digest"]: found["tags"] for found in manifests}[OLD] == ["sha-old", "tested-old"]
    assert tool.http.get("/v2/registries/slipway/repositories/none/tags").status_code == 404


def test_missing_objects_are_not_found(tool: Tool) -> None:
    for path in ("/v2/apps/none", f"{tool.base}/deployments/none"):
        response = tool.http.get(path)
        assert response.status_code == 404
        assert response.json()["id"] == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("PUT", "", {"spec": {"name": "UPPER CASE"}}, "name"),
        ("PUT", "", {}, "required"),
        ("PUT", "", {"spec": {"name": "slipway"}, "image_tag": "x"}, "image_tag is unknown"),
        ("POST", "/deployments", {"force_build": "yes"}, "force_build"),
        ("POST", "/deployments", None, "not a JSON object"),
        ("GET", "/deployments?per_page=1000", None, "per_page"),
        ("GET", "/deployments?size=10", None, "size is not a parameter"),
        ("GET", "/logs", None, "type is missing"),
        ("POST", "/exec", {}, "is not an operation"),
    ],
)
def test_a_request_that_violates_the_contract_fails_the_test(
    platform: Simulator, tool: Tool, method: str, path: str, body: Any, message: str
) -> None:
    response = tool.http.request(method, tool.base + path, json=body)
    assert response.status_code in (400, 404)
    assert message in " ".join(platform.violations)
    platform.violations.clear()


def test_a_token_sent_to_a_log_file_is_a_violation(platform: Simulator, tool: Tool, app: App) -> None:
    links = tool.http.get(f"{tool.base}/logs", params={"type": "RUN"}).json()
    tool.http.get(links["live_url"])
    assert platform.violations == ["the token was sent to a log file's address"]
    platform.violations.clear()


def test_responses_have_only_documented_fields(tool: Tool) -> None:
    tool.put(make_spec(NEW))
    shown = tool.app()
    schemas = load_contract().document["components"]["schemas"]
    assert shown.keys() <= schemas["app"]["properties"].keys()
    assert shown["active_deployment"].keys() <= schemas["apps_deployment"]["properties"].keys()
    progress = shown["active_deployment"]["progress"]
    assert progress.keys() <= schemas["apps_deployment_progress"]["properties"].keys()
