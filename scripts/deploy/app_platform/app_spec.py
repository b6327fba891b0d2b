"""Builds the app spec for App Platform from the file in git and the live spec. Pure functions.

A spec replaces the live one as a whole, so everything that must stay has to be in it: values the file leaves open,
secrets as the ciphertexts the platform returned, domains, networks.
"""

import copy
import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import yaml

from scripts.deploy.errors import Refused

Spec = dict[str, Any]
KINDS = ("services", "workers", "jobs", "static_sites", "functions")
# Set in the control panel for one account's app, so a file that others clone can't contain them.
KEPT_OF_APP = ("domains", "vpc", "egress", "maintenance")
KEPT_OF_COMPONENTS = ("log_destinations",)
CIPHERTEXT = "EV["


def read_spec(text: str, name: str) -> Spec:
    """Return the spec of a file. Raises Refused when it contains ciphertexts: those belong to one app, never to git."""
    if CIPHERTEXT in text:
        raise Refused(f"{name} contains an encrypted value, {CIPHERTEXT}…]. Name the variable without a value instead")
    spec = yaml.safe_load(text)
    if not isinstance(spec, dict) or "name" not in spec:
        raise Refused(f"{name} is not an app spec: it has no name")
    # Copied through JSON: a YAML anchor puts one object in several places, and each must be changed separately.
    copied: Spec = json.loads(json.dumps(spec))
    return copied


def components(spec: Spec) -> Iterator[tuple[str, Spec]]:
    for kind in KINDS:
        for component in spec.get(kind) or []:
            yield kind, component


def levels(spec: Spec) -> Iterator[tuple[str, Spec]]:
    """Yield each level that can have variables, with its name: the app, named "", and each component."""
    yield "", spec
    for _, component in components(spec):
        yield component["name"], component


def digests(spec: Spec) -> dict[str, str]:
    """Map each repository to the digest its components run; "" when they differ or use a tag.

    The PRE_DEPLOY job is ignored: after a rollback it may stay at a newer release.
    """
    found: dict[str, str] = {}
    for kind, component in components(spec):
        image = component.get("image")
        if image and kind != "jobs":
            digest = image.get("digest", "")
            repository = image["repository"]
            found[repository] = digest if found.get(repository, digest) == digest else ""
    return found


def with_digests(spec: Spec, release: Mapping[str, str], *, jobs: bool = True) -> Spec:
    """Return a copy with the images of a release (repository to digest); without `jobs`, jobs keep their images.

    Raises Refused when a component's image is not in the release.
    """
    spec = copy.deepcopy(spec)
    for kind, component in components(spec):
        image = component.get("image")
        if not image or image.get("repository") not in release:
            raise Refused(f"{kind}.{component['name']} runs no image of this release: {', '.join(sorted(release))}")
        if jobs or kind != "jobs":
            image.pop("tag", None)
            image["digest"] = release[image["repository"]]
    return spec


def merged(base: Spec, live: Spec | None, given: Mapping[str, str]) -> Spec:
    """Return the file's spec; variables without a value get the given one, else the live one.

    Raises Refused with the names of all variables that have no value anywhere.
    """
    spec, live = copy.deepcopy(base), live or {}
    for key in KEPT_OF_APP:
        if key in live:
            spec.setdefault(key, copy.deepcopy(live[key]))
    previous = dict(levels(live))
    missing = []
    for name, level in levels(spec):
        before = previous.get(name, {})
        for key in KEPT_OF_COMPONENTS if name else ():
            if key in before:
                level.setdefault(key, copy.deepcopy(before[key]))
        missing += _fill(level, before, given)
    if missing:
        raise Refused(
            f"{spec['name']} has no value for {', '.join(missing)}. Write them into a file and send it: "
            "make sync-env ENV=… FILE=…, or for an app that does not exist yet ENV_FILE=… with the deployment"
        )
    return spec


def _fill(level: Spec, before: Spec, given: Mapping[str, str]) -> list[str]:
    """Set a level's values, keep variables that only the platform has, and return the names without a value."""
    envs = level.setdefault("envs", [])
    live = {env["key"]: env for env in before.get("envs") or []}
    missing = []
    for env in envs:
        previous = live.pop(env["key"], {})
        if "value" in env:
            continue
        if env["key"] in given:
            env["value"] = given[env["key"]]
        elif previous.get("value"):
            env["value"] = previous["value"]
            # The type goes with the value: without it the platform would use the ciphertext as the value.
            env |= {"type": "SECRET"} if previous["value"].startswith(CIPHERTEXT) else {}
        else:
            missing.append(env["key"])
    envs += copy.deepcopy(list(live.values()))
    if not envs:
        del level["envs"]
    return missing


def with_values(
    live: Spec, base: Spec, given: Mapping[str, str], pruned: Collection[str], secret: Collection[str]
) -> Spec:
    """Return a copy of the live spec with variables set or removed, each on the level where the file has it.

    A given value is sent in clear, and the platform encrypts it; all other ciphertexts are sent unchanged.
    A variable that the file does not name is set on the app.
    """
    spec = copy.deepcopy(live)
    places = component_keys(base)
    for name, level in levels(spec):
        mine = {key: value for key, value in given.items() if places.get(key, "") == name}
        envs = [
            env for env in level.get("envs") or [] if env["key"] not in pruned or places.get(env["key"], "") != name
        ]
        previous = {env["key"]: env for env in envs}
        for key, value in mine.items():
            if key not in previous:
                envs.append(previous.setdefault(key, {"key": key, "scope": "RUN_TIME"}))
            previous[key] |= {"value": value} | ({"type": "SECRET"} if key in secret else {})
        if envs:
            level["envs"] = envs
        else:
            level.pop("envs", None)
    return spec


def component_keys(base: Spec) -> dict[str, str]:
    """Map each variable that the file sets on a component to the component's name."""
    return {env["key"]: name for name, level in levels(base) if name for env in level.get("envs") or []}
