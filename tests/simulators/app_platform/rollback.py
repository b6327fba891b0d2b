"""Validates rollbacks: refusals and warnings."""

from typing import Any

from tests.simulators.app_platform.model import App, Deployment
from tests.simulators.app_platform.spec import images

# The number of most recent successful deployments that can be rolled back to; from secondary sources.
REVISIONS = 10


def validation(app: App, target: Deployment) -> dict[str, Any]:
    """Return the response of POST /rollback/validate, with the OpenAPI document's codes."""
    response: dict[str, Any] = {"valid": True, "warnings": warnings(target)}
    code = failing_condition(app, target)
    if code:
        response |= {"valid": False, "error": {"code": code, "message": f"rollback is not possible: {code}"}}
    return response


def failing_condition(app: App, target: Deployment) -> str | None:
    """Return the code of the first condition that forbids the rollback."""
    successful = [deployment for deployment in app.deployments if deployment.was_active]
    conditions = {
        "app_pinned": app.pinned is not None,
        "incompatible_phase": target.phase not in ("ACTIVE", "SUPERSEDED"),
        "incompatible_result": not target.was_active,
        "exceeded_revision_limit": target not in successful[-REVISIONS:],
        "region_conflict": target.spec.get("region") != app.spec.get("region"),
        "database_config_conflict": (target.spec.get("databases") or []) != (app.spec.get("databases") or []),
    }
    return next((code for code, holds in conditions.items() if holds), None)


def warnings(target: Deployment) -> list[dict[str, Any]]:
    found = {
        "static_site_requires_rebuild": [site["name"] for site in target.spec.get("static_sites") or []],
        "image_source_missing_digest": [name for name, image in images(target.spec) if "digest" not in image],
    }
    return [{"code": code, "message": code, "components": names} for code, names in found.items() if names]
