"""Validates app specs as App Platform does, and adds its defaults."""

import copy
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs

Spec = dict[str, Any]
# The OpenAPI document's app_spec is incomplete; this schema is derived from godo's structs.
SCHEMA = Path(__file__).resolve().parents[1] / "contracts" / "app-spec.schema.json"
KINDS = ("services", "workers", "jobs", "static_sites", "functions")
SOURCES = ("git", "github", "gitlab", "bitbucket", "image")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
DEFAULT_SIZE = "apps-s-1vcpu-0.5gb"
# `scalable: false`.
NOT_SCALABLE = (DEFAULT_SIZE, "apps-s-1vcpu-1gb-fixed")


def components(spec: Spec) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each component with its kind."""
    for kind in KINDS:
        for component in spec.get(kind) or []:
            yield kind, component


def levels_with_envs(spec: Spec) -> list[dict[str, Any]]:
    """Return the app and every component; each can have envs."""
    return [spec, *(component for _, component in components(spec))]


def images(spec: Spec) -> list[tuple[str, dict[str, Any]]]:
    return [(component["name"], component["image"]) for _, component in components(spec) if component.get("image")]


def jobs_of_kind(spec: Spec, kind: str) -> list[str]:
    return [job["name"] for job in spec.get("jobs") or [] if job.get("kind") == kind]


def refusals(spec: Spec) -> list[str]:
    """Return the platform's objections to a spec that conforms to the OpenAPI document."""
    names = [component["name"] for _, component in components(spec)]
    problems = [f"component name {name!r} is not unique" for name in sorted(set(names)) if names.count(name) > 1]
    for kind, component in components(spec):
        where = f"{kind}.{component['name']}"
        problems += [f"{where}: {problem}" for problem in component_refusals(kind, component)]
    # Whether the API refuses unknown keys, as doctl does, is not verified; the tool must not send any.
    strict = [f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in schema().iter_errors(spec)]
    return problems + strict


@functools.cache
def schema() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))


def component_refusals(kind: str, component: dict[str, Any]) -> Iterator[str]:
    sources = [source for source in SOURCES if component.get(source)]
    if len(sources) != 1:
        yield f"needs exactly one source, has {sources}"
    if kind == "static_sites" and "image" in sources:
        yield "a static site can't use an image"
    if component.get("autoscaling"):
        if "instance_count" in component:
            yield "autoscaling excludes instance_count"
        if component.get("instance_size_slug", DEFAULT_SIZE) in NOT_SCALABLE:
            yield "the instance size can't be scaled"
    yield from image_refusals(component.get("image") or {})


def image_refusals(image: dict[str, Any]) -> Iterator[str]:
    if image.get("registry_type") == "DOCR":
        if image.get("registry"):
            yield "image.registry must be empty for DOCR"
        if image.get("repository", "").startswith("registry.digitalocean.com/"):
            yield "image.repository is the repository's name alone"
    if "tag" in image and "digest" in image:
        yield "image.tag and image.digest exclude each other"
    if "digest" in image and not DIGEST.fullmatch(image["digest"]):
        yield "image.digest is not a digest"
    if (image.get("deploy_on_push") or {}).get("enabled") and (
        "digest" in image or image.get("registry_type") != "DOCR"
    ):
        yield "image.deploy_on_push is for DOCR images without a digest"


def with_defaults(spec: Spec) -> Spec:
    """Return a copy of the spec with all defaults, as the API returns it."""
    spec = copy.deepcopy(spec)
    for level in levels_with_envs(spec):
        for env in level.get("envs") or []:
            env.setdefault("scope", "RUN_AND_BUILD_TIME")
    for kind, component in components(spec):
        if kind in ("services", "workers", "jobs"):
            component.setdefault("instance_size_slug", DEFAULT_SIZE)
            if not component.get("autoscaling"):
                component.setdefault("instance_count", 1)
        if kind == "services":
            component.setdefault("http_port", 8080)
        if kind == "jobs" and component.get("kind", "UNSPECIFIED") == "UNSPECIFIED":
            component["kind"] = "POST_DEPLOY"
        if component.get("image") and "digest" not in component["image"]:
            component["image"].setdefault("tag", "latest")
    return spec
