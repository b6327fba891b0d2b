"""Lists the differences of two app specs for the confirmation. Pure functions."""

import json
from collections.abc import Iterator
from typing import Any

from scripts.deploy.app_platform.app_spec import KINDS, Spec, components

# The keys that identify the items of a spec's lists.
IDENTITIES = {"name", "key", "rule", "domain"}


def changes(before: Spec, after: Spec) -> list[str]:
    """Return one line per change, with the names of variables but not their values.

    Settings that only the live spec has are defaults added by the platform, so they are no change. Missing components,
    databases, domains and variables are changes.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    lines = [f"+ {path}{_shown(path, new[path])}" for path in new if path not in old]
    for path in new:
        if path in old and old[path] != new[path]:
            lines.append(f"~ {path}{_shown(path, old[path])}{_shown(path, new[path], ' →')}")
    return lines + [f"- {path}" for path in sorted(_named(before) - _named(after))]


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each setting with its path; list items are addressed by their identity."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and all(isinstance(item, dict) and IDENTITIES & set(item) for item in value):
        for item in value:
            yield from _flat(
                {key: inner for key, inner in item.items() if key not in IDENTITIES}, f"{path}.{_name(item)}"
            )
    else:
        yield path, json.dumps(value)


def _name(item: dict[str, Any]) -> str:
    return str(next(item[key] for key in item if key in IDENTITIES))


def _named(spec: Spec) -> set[str]:
    paths = {f"{kind}.{_name(item)}" for kind in (*KINDS, "databases", "domains") for item in spec.get(kind) or []}
    for kind, component in components(spec):
        paths |= {f"{kind}.{component['name']}.envs.{env['key']}" for env in component.get("envs") or []}
    return paths | {f"envs.{env['key']}" for env in spec.get("envs") or []}


def _shown(path: str, value: str, sign: str = ":") -> str:
    return "" if path.startswith("envs.") or ".envs." in path else f"{sign} {value}"
