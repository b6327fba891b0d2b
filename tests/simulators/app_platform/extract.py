"""Extracts the operations that the deploy tool uses from DigitalOcean's OpenAPI document.

python -m tests.simulators.app_platform.extract path/to/digitalocean.openapi.json
"""

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parents[1] / "contracts" / "app_platform.openapi.json"
SOURCE = "https://github.com/digitalocean/openapi, commit 7c1300c"
LICENCE = {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0.html"}
# For tags and digests, the paths that are not deprecated.
OPERATIONS = {
    "/v2/apps": ["get", "post"],
    "/v2/apps/{id}": ["get", "put"],
    "/v2/apps/propose": ["post"],
    "/v2/apps/{app_id}/deployments": ["get", "post"],
    "/v2/apps/{app_id}/deployments/{deployment_id}": ["get"],
    "/v2/apps/{app_id}/deployments/{deployment_id}/cancel": ["post"],
    "/v2/apps/{app_id}/deployments/{deployment_id}/logs": ["get"],
    "/v2/apps/{app_id}/deployments/{deployment_id}/components/{component_name}/logs": ["get"],
    "/v2/apps/{app_id}/logs": ["get"],
    "/v2/apps/{app_id}/components/{component_name}/logs": ["get"],
    "/v2/apps/{app_id}/rollback": ["post"],
    "/v2/apps/{app_id}/rollback/validate": ["post"],
    "/v2/apps/{app_id}/rollback/commit": ["post"],
    "/v2/apps/{app_id}/rollback/revert": ["post"],
    "/v2/registries": ["get"],
    "/v2/registries/{registry_name}/repositories/{repository_name}/tags": ["get"],
    "/v2/registries/{registry_name}/repositories/{repository_name}/digests": ["get"],
}
PROSE = ("description", "example", "examples", "title", "summary", "tags", "externalDocs")


def main() -> int:
    document = json.loads(Path(sys.argv[1]).read_text())
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(extract(document), indent=1, sort_keys=True) + "\n")
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size // 1024} kB\n")
    return 0


def extract(document: dict[str, Any]) -> dict[str, Any]:
    """Return the operations with all referenced components, without descriptions."""
    paths = {
        path: {method: without_prose(document["paths"][path][method]) for method in methods}
        for path, methods in OPERATIONS.items()
    }
    extracted = {
        "openapi": document["openapi"],
        "info": {"title": "DigitalOcean API, extract", "version": "2.0", "license": LICENCE, "x-source": SOURCE},
        "paths": paths,
        "components": referenced(paths, document),
    }
    correct(extracted)
    return extracted


def referenced(start: Any, document: dict[str, Any]) -> dict[str, Any]:
    """Return the components that are referenced from `start`, also indirectly."""
    components: dict[str, Any] = {}
    waiting = references(start)
    while waiting:
        _, _, kind, name = waiting.pop().split("/")
        if name not in components.setdefault(kind, {}):
            components[kind][name] = without_prose(document["components"][kind][name])
            waiting += references(components[kind][name])
    return components


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for child in node for found in references(child)]
    if not isinstance(node, dict):
        return []
    own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
    return own + [found for child in node.values() for found in references(child)]


def without_prose(node: Any, names: bool = False) -> Any:
    """Remove descriptions and examples; under `properties` the keys are names, and all are kept."""
    if isinstance(node, list):
        return [without_prose(child) for child in node]
    if not isinstance(node, dict):
        return node
    return {
        key: without_prose(child, names=key == "properties" and not names)
        for key, child in node.items()
        if names or not (key in PROSE or key.startswith("x-"))
    }


def correct(extracted: dict[str, Any]) -> None:
    """Correct the document where it contradicts godo, whose specs are known to work."""
    schemas = extracted["components"]["schemas"]
    schemas["app_job_spec"]["allOf"][2]["properties"]["kind"]["enum"].append("SCHEDULED")
    schemas["app_ingress_spec_rule_routing_component"]["properties"]["preserve_path_prefix"]["type"] = "boolean"
    extracted["info"]["x-corrections"] = [
        "app_job_spec.kind: SCHEDULED added",
        "app_ingress_spec_rule_routing_component.preserve_path_prefix: a boolean, not a string",
    ]


if __name__ == "__main__":
    sys.exit(main())
