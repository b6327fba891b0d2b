"""What App Platform makes of a component of a spec: its variables, its memory, its times. Pure functions."""

import re
from collections.abc import Mapping
from typing import Any

from tests.simulators.app_platform.spec import DEFAULT_SIZE, Spec

BINDABLE = re.compile(r"\$\{([^}]*)\}")
UNITS = {"s": 1, "m": 60, "h": 3600}


class SpecError(Exception):
    """Something in a spec that the platform can't carry out, in a sentence."""


def environment(spec: Spec, component: dict[str, Any], bindables: Mapping[str, str]) -> dict[str, str]:
    """Return a component's variables: the app's, its own in their place, and PORT.

    Raises SpecError when a value names something that is not there.
    """
    values = {
        env["key"]: _bound(f"{component['name']}: {env['key']}", env.get("value", ""), bindables)
        for level in (spec, component)
        for env in level.get("envs") or []
        if env.get("scope") != "BUILD_TIME"
    }
    return values | ({"PORT": str(component["http_port"])} if "http_port" in component else {})


def _bound(place: str, value: str, bindables: Mapping[str, str]) -> str:
    unknown = [name for name in BINDABLE.findall(value) if name not in bindables]
    if unknown:
        raise SpecError(f"{place} names ${{{unknown[0]}}}, and the app has none; there are {', '.join(bindables)}")
    return BINDABLE.sub(lambda found: bindables[found[1]], value)


def instances(component: dict[str, Any]) -> int:
    """Return how many containers of a component are started."""
    scaling = component.get("autoscaling") or {}
    return int(scaling.get("min_instance_count") or component.get("instance_count") or 1)


def memory_mb(component: dict[str, Any]) -> int:
    """Return the memory of a component's instance size, such as `apps-s-1vcpu-0.5gb`, in MB."""
    size = component.get("instance_size_slug", DEFAULT_SIZE)
    found = re.search(r"-(\d+(?:\.\d+)?)gb(-fixed)?$", size)
    if not found:
        raise SpecError(f"{component['name']}: {size} tells no memory")
    return int(float(found[1]) * 1024)


def seconds(duration: str) -> int:
    """Return a duration such as `1h30m` in seconds."""
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([smh])", duration))
