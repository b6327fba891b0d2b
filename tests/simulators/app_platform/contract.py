"""Checks requests and responses against the extract of DigitalOcean's OpenAPI document."""

import functools
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

DOCUMENT = Path(__file__).resolve().parents[1] / "contracts" / "app_platform.openapi.json"


@dataclass(frozen=True)
class Call:
    """A request, matched to an operation of the document."""

    operation: str
    method: str
    template: str
    params: dict[str, str]
    query: dict[str, str] = field(default_factory=dict)
    body: Any = None


class Contract:
    """The operations of the document, and checks of their requests and responses."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = with_null_as_type(document)
        # Paths with fewer parameters first: in /v2/apps/propose, `propose` is not an app's id.
        templates = sorted(document["paths"], key=lambda template: template.count("{"))
        self._patterns = [(template, re.compile(pattern_of(template))) for template in templates]
        self._validators: dict[str, jsonschema_rs.Draft4Validator] = {}

    def find(self, method: str, raw_path: str) -> Call | None:
        """Return the operation of a request. The path is still encoded, so that %2F is not a slash."""
        for template, pattern in self._patterns:
            found = pattern.fullmatch(raw_path)
            operation = self.document["paths"][template].get(method.lower())
            if found and operation:
                params = {name: unquote(value) for name, value in found.groupdict().items()}
                return Call(operation["operationId"], method, template, params)
        return None

    def request_problems(self, call: Call) -> list[str]:
        operation = self._operation(call)
        query = {p["name"]: p for p in map(self.resolve, operation.get("parameters", [])) if p["in"] == "query"}
        problems = [f"query: {name} is not a parameter" for name in call.query if name not in query]
        for name, parameter in query.items():
            if name in call.query:
                value = from_text(call.query[name], parameter["schema"])
                problems += self._problems(f"query {name}", parameter["schema"], value)
            elif parameter.get("required"):
                problems.append(f"query: {name} is missing")
        return problems + self._body_problems(operation, call.body)

    def response_problems(self, call: Call, status: int, headers: dict[str, str], body: Any) -> list[str]:
        responses = self._operation(call)["responses"]
        response = self.resolve(responses.get(str(status)) or responses["default"])
        problems = [f"header {name} is missing" for name in response.get("headers", {}) if name not in headers]
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        if schema is None:
            return problems + (["a body where none is declared"] if body is not None else [])
        return problems + self._problems("response", schema, body)

    def resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        """Follow a $ref into the components."""
        if "$ref" not in node:
            return node
        _, _, kind, name = node["$ref"].split("/")
        found: dict[str, Any] = self.document["components"][kind][name]
        return found

    def _operation(self, call: Call) -> dict[str, Any]:
        operation: dict[str, Any] = self.document["paths"][call.template][call.method.lower()]
        return operation

    def _body_problems(self, operation: dict[str, Any], body: Any) -> list[str]:
        if "requestBody" not in operation:
            return ["a body where none is declared"] if body not in (None, {}) else []
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        if not isinstance(body, dict):
            return ["the body is not a JSON object"]
        # The document allows unknown names everywhere, but at the top of a body they are always an error of the tool.
        unknown = body.keys() - self.resolve(schema).get("properties", {}).keys()
        return [f"body: {name} is unknown" for name in sorted(unknown)] + self._problems("body", schema, body)

    def _problems(self, where: str, schema: dict[str, Any], value: Any) -> list[str]:
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            rooted = {"allOf": [schema], "components": self.document["components"]}
            self._validators[key] = jsonschema_rs.Draft4Validator(rooted, validate_formats=True)
        return [
            f"{where} {'/'.join(map(str, error.instance_path))}: {error.message}"
            for error in self._validators[key].iter_errors(value)
        ]


@functools.cache
def load_contract() -> Contract:
    return Contract(json.loads(DOCUMENT.read_text()))


def pattern_of(template: str) -> str:
    return re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))


def from_text(text: str, schema: dict[str, Any]) -> Any:
    """Convert a query parameter to its schema's type, or return the text when that is impossible."""
    if schema.get("type") == "array":
        return text.split(",")
    if schema.get("type") == "integer" and text.isdigit():
        return int(text)
    return {"true": True, "false": False}.get(text, text) if schema.get("type") == "boolean" else text


def with_null_as_type(node: Any) -> Any:
    """Convert OpenAPI 3.0's `nullable` to JSON Schema's type null."""
    if isinstance(node, list):
        return [with_null_as_type(child) for child in node]
    if not isinstance(node, dict):
        return node
    converted = {key: with_null_as_type(child) for key, child in node.items()}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        converted["type"] = [node["type"], "null"]
    return converted
