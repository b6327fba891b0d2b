"""Reads the specs of App Platform and Fly, and the values that the tests compare them with."""

import asyncio
import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import yaml

from backend.settings import Settings
from backend.web.client_address import ClientAddress
from tests.servers import ROOT

Spec = dict[str, Any]

CONTRACTS = ROOT / "tests/simulators/contracts"
APP_SPECS = {"staging": ".do/app.staging.yaml", "production": ".do/app.production.yaml"}
BUTTON = ".do/deploy.template.yaml"
FLY = {"staging": "fly.staging.toml", "production": "fly.toml"}
SPEC_FILES = [*APP_SPECS.values(), BUTTON]
ALL_FILES = [*SPEC_FILES, *FLY.values()]

KINDS = ("services", "workers", "jobs")
# Values that App Platform inserts for references.
BOUND = {
    "db.DATABASE_URL": "postgresql://slipway@db.test:25060/slipway?sslmode=require",
    "db.CA_CERT": "PEM",
    "valkey.DATABASE_URL": "rediss://default@valkey.test:25061",
    "APP_URL": "https://slipway.ondigitalocean.app",
}
GIVEN = {"DATABASE_URL": BOUND["db.DATABASE_URL"], "REDIS_URL": BOUND["valkey.DATABASE_URL"]}
ANY_VALUE = "a value of the test, longer than 32 bytes"

# DigitalOcean's smallest cluster: 25 connections for each GB of memory, less 3.
CONNECTIONS = 22
CONNECTIONS_OF_A_WORKER_PROCESS = 2
# Measured, in MB; api with two processes, even where only one runs.
MEMORY = {"api": 205, "web": 30, "worker": 380, "beat": 100, "migrate": 100}
ROOM = 1.3


def read(name: str) -> Spec:
    text = (ROOT / name).read_text()
    document: Spec = tomllib.loads(text) if name.endswith(".toml") else yaml.safe_load(text)
    return document["spec"] if name == BUTTON else document


def problems(name: str, document: Spec) -> list[str]:
    schema = "fly-toml.schema.json" if name.endswith(".toml") else "app-spec.schema.json"
    validator = jsonschema_rs.Draft202012Validator(json.loads((CONTRACTS / schema).read_text()))
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(document)]


def components(spec: Spec) -> dict[str, Spec]:
    return {component["name"]: component for kind in KINDS for component in spec.get(kind, [])}


def variable_lists(spec: Spec) -> list[list[Spec]]:
    """Return the variables of the app, then those of each component that has its own."""
    return [spec["envs"], *(component["envs"] for component in components(spec).values() if "envs" in component)]


def variables(spec: Spec) -> Iterator[Spec]:
    for one in variable_lists(spec):
        yield from one


def environment(name: str) -> dict[str, str]:
    """Return a process's environment, with test values for variables that have none in the file."""
    document = read(name)
    if name.endswith(".toml"):
        given = {key: GIVEN.get(key, ANY_VALUE) for key in fly_secrets(name)}
        return {**document["env"], **given}
    return {item["key"]: bound(item.get("value", ANY_VALUE)) for item in document["envs"]}


def bound(value: str) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda match: BOUND[match[1]], value)


def fly_secrets(name: str) -> list[str]:
    """Return the names in the comment at the top of the file; fly.toml has no field for secrets."""
    lines = re.findall(r"^#   ([A-Z0-9_ ]+)$", (ROOT / name).read_text(), re.MULTILINE)
    return " ".join(lines).split()


def client_seen(name: str, peer: str, headers: dict[str, str]) -> str:
    """Return the client address that the application determines with the settings of a file."""
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    values = environment(name)
    middleware = ClientAddress(app, header=values["CLIENT_ADDRESS_HEADER"], trusted=values["FORWARDED_ALLOW_IPS"])
    pairs = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    scope = {"type": "http", "client": (peer, 4711), "scheme": "http", "headers": pairs}
    asyncio.run(middleware(scope, None, None))  # type: ignore[arg-type]
    return seen[0]


def flat(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        pairs = value.items()
    elif isinstance(value, list):
        pairs = {
            (item.get("name") or item.get("key") or item.get("rule") or index): item
            for index, item in enumerate(value)
            if isinstance(item, dict)
        }.items()
    else:
        return {path: value}
    return {inner: leaf for key, item in pairs for inner, leaf in flat(item, f"{path}/{key}").items()}


def differences(one: Spec, other: Spec) -> set[str]:
    left, right = flat(one), flat(other)
    return {path for path in left.keys() | right.keys() if left.get(path) != right.get(path)}


def health_paths(document: Spec) -> set[str]:
    return {path for key, path in flat(document).items() if key.endswith("http_path")}


def documented_paths() -> set[str]:
    return set(json.loads((ROOT / "frontend/openapi.json").read_text())["paths"])


def is_secret(key: str) -> bool:
    field = Settings.model_fields.get(key)
    return field is not None and "SecretStr" in str(field.annotation)


def longest_job() -> int:
    return int(Settings.model_fields["JOB_TIME_LIMIT_SECONDS"].default)


def longest_request() -> int:
    config = ROOT / "backend" / "web" / "gunicorn_config.py"
    found = re.search(r"^graceful_timeout = (\d+)$", config.read_text(), re.MULTILINE)
    assert found
    return int(found[1])
