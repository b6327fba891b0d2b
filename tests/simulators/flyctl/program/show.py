"""Selects a command's app, and prints it and its Machines."""

import json
import os
from pathlib import Path
from typing import Any

from tests.simulators.flyctl.program.machines import app_name
from tests.simulators.flyctl.program.output import say
from tests.simulators.flyctl.program.state import load

Flags = dict[str, str]


def chosen(folder: Path, flags: Flags) -> tuple[str, dict[str, Any]]:
    found: tuple[str, dict[str, Any]] = app_name(folder, flags, os.environ.get("FLY_APP", ""))
    return found


def app_of(folder: Path, flags: Flags) -> dict[str, Any]:
    app: dict[str, Any] = load(folder)["apps"][chosen(folder, flags)[0]]
    return app


def machine_shown(machine: dict[str, Any]) -> dict[str, Any]:
    """Return a Machine's document, with the keys of fly-go's machine_types.go."""
    repository, _, tag = machine["image"].partition("@")[0].partition(":")
    registry, _, repository = repository.partition("/")
    healthy = machine["healthy"]
    return {
        "id": machine["id"],
        "name": machine["id"],
        "state": "started",
        "region": "ams",
        "image_ref": {"registry": registry, "repository": repository, "tag": tag, "digest": machine["digest"]},
        "config": {
            "image": machine["image"],
            "metadata": {
                "fly_platform_version": "v2",
                "fly_process_group": machine["group"],
                "fly_release_version": str(machine["version"]),
            },
        },
        "checks": [{"name": "servicecheck-00-http-8000", "status": "passing" if healthy else "critical"}],
    }


def shown(flags: Flags, body: Any, text: str) -> int:
    """Print JSON with --json, else the text."""
    say(json.dumps(body, indent=4) if flags.get("json") == "true" else text)
    return 0
