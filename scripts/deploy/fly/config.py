"""Reads the configuration of an app on Fly.io, from this folder or from a commit, and lists its changes."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.deploy.system import ROOT, System


def read_config(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / name).read_text("utf-8"))


def config_changes(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return one line per change, with names of variables and tables but no values."""
    if not before:
        return [f"+ {name}"]
    old, new = _flat(before), _flat(after)
    lines = [f"{'~' if key in old else '+'} {name} {key}" for key in new if old.get(key) != new[key]]
    return lines + [f"- {name} {key}" for key in old if key not in new]


def config_at(system: System, name: str, git_sha: str, folder: Path) -> Path | None:
    """Write a commit's configuration into a folder and return its path; None when git has no such commit."""
    shown = system.run(["git", "show", f"{git_sha}:{name}"]) if git_sha else None
    if shown is None or shown.code:
        return None
    path = folder / name
    path.write_text(shown.out, "utf-8")
    return path


def _flat(config: Mapping[str, Any]) -> dict[str, Any]:
    tables = {key: value for key, value in config.items() if key != "env"}
    return tables | {f"env.{key}": value for key, value in (config.get("env") or {}).items()}
