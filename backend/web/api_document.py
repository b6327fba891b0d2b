"""Adds the problem document and the security schemes to the OpenAPI document."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from backend.web.problems import Problem

SECURITY_SCHEMES = {
    "token": {
        "type": "oauth2",
        "description": "For API clients: the access token as a Bearer header.",
        "flows": {
            "password": {"tokenUrl": "/api/session/token", "refreshUrl": "/api/session/token/refresh", "scopes": {}}
        },
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "access",
        "description": "For browsers: set by POST /api/session; named __Host-access on https.",
    },
}


def describe_api(app: FastAPI) -> None:
    """Add security schemes and the Problem schema. Security dependencies would do this too, but slow every request."""
    build: Callable[[], dict[str, Any]] = app.openapi

    def openapi() -> dict[str, Any]:
        document = build()
        components = document.setdefault("components", {})
        components["securitySchemes"] = SECURITY_SCHEMES
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        components.setdefault("schemas", {}).update({**schema.pop("$defs", {}), "Problem": schema})
        for operations in document["paths"].values():
            for operation in operations.values():
                if "401" in operation["responses"] and operation["operationId"].split("_api_")[0] not in PUBLIC:
                    operation["security"] = [{"token": []}, {"session": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]


# Public routes that return 401 for wrong credentials.
PUBLIC = ("log_in", "create_token", "refresh_session", "refresh_token")
