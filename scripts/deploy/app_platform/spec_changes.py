"""Says what one app spec changes in another, for the person who is asked. Pure functions."""

import json
from collections.abc import Iterator
from typing import Any

from scripts.deploy.app_platform.app_spec import KINDS, Spec, components

# What items of a spec's lists are known by.
IDENTITIES = {"name", "key", "rule", "domain"}


def changes(before: Spec, after: Spec) -> list[str]:
    """Return what a spec changes, a line each; of variables only the names.

    Settings that only the live spec has are defaults which the platform wrote out; named things are not.
    """
    old, new = dict(_flat(before)), dict(_flat(after))
    lines = [f"+ {place}{_shown(place, new[place])}" for place in new if place not in old]
    for place in new:
        if place in old and old[place] != new[place]:
            lines.append(f"~ {place}{_shown(place, old[place])}{_shown(place, new[place], ' →')}")
    return lines + [f"- {place}" for place in sorted(_named(before) - _named(after))]


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Return each setting with its place, lists of named things by their names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list) and value and all(isinstance(item, dict) and IDENTITIES & set(item) for item in value):
        for item in value:
            yield from _flat(
                {key: inner for key, inner in item.items() if key not in IDENTITIES}, f"{place}.{_name(item)}"
            )
    else:
        yield place, json.dumps(value)


def _name(item: dict[str, Any]) -> str:
    return str(next(item[key] for key in item if key in IDENTITIES))


def _named(spec: Spec) -> set[str]:
    """Return the places of all components, databases, domains and variables."""
    places = {f"{kind}.{_name(item)}" for kind in (*KINDS, "databases", "domains") for item in spec.get(kind) or []}
    for kind, component in components(spec):
        places |= {f"{kind}.{component['name']}.envs.{env['key']}" for env in component.get("envs") or []}
    return places | {f"envs.{env['key']}" for env in spec.get("envs") or []}


def _shown(place: str, value: str, sign: str = ":") -> str:
    return "" if place.startswith("envs.") or ".envs." in place else f"{sign} {value}"
