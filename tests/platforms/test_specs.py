"""The specs of App Platform and Fly: what the platforms accept, and what the application needs of them."""

import asyncio
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from backend.__main__ import cli
from backend.settings import Settings, load_settings
from tests.servers import ROOT

Spec = dict[str, Any]

CONTRACTS = Path(__file__).parent / "contracts"
APP_SPECS = {"staging": ".do/app.staging.yaml", "production": ".do/app.production.yaml"}
BUTTON = ".do/deploy.template.yaml"
FLY = {"staging": "fly.staging.toml", "production": "fly.toml"}
SPEC_FILES = [*APP_SPECS.values(), BUTTON]
ALL_FILES = [*SPEC_FILES, *FLY.values()]

KINDS = ("services", "workers", "jobs")
FIXED_SIZES = ("apps-s-1vcpu-0.5gb", "apps-s-1vcpu-1gb-fixed")
# Read by the web image, which is no Python and has no Settings.
NOT_SETTINGS = {"STORAGE_ORIGINS"}
# What the platforms put in place of references, and operators in place of nothing.
BOUND = {
    "db.DATABASE_URL": "postgresql://slipway@db.test:25060/slipway?sslmode=require",
    "db.CA_CERT": "PEM",
    "valkey.DATABASE_URL": "rediss://default@valkey.test:25061",
    "APP_URL": "https://slipway.ondigitalocean.app",
}
GIVEN = {"DATABASE_URL": BOUND["db.DATABASE_URL"], "REDIS_URL": BOUND["valkey.DATABASE_URL"]}
SOMETHING = "given by the test, and longer than 32 bytes"

# 25 for each GB of memory less 3, at DigitalOcean's smallest.
CONNECTIONS = 22
CONNECTIONS_OF_A_WORKER_PROCESS = 2
FLY_MACHINES = {"web": 2, "worker": 1}
# Measured, in MB; of two web processes even where one runs.
MEMORY = {"api": 205, "web": 30, "worker": 380, "beat": 100, "migrate": 100, "backup": 100}
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


def variables(spec: Spec) -> Iterator[Spec]:
    yield from spec["envs"]
    for component in components(spec).values():
        yield from component.get("envs", [])


def environment(name: str) -> dict[str, str]:
    """Return what a process finds in its environment, with values of the test for what the file leaves out."""
    document = read(name)
    if name.endswith(".toml"):
        given = {key: GIVEN.get(key, SOMETHING) for key in fly_secrets(name)}
        return {**document["env"], **given}
    return {item["key"]: bound(item.get("value", SOMETHING)) for item in document["envs"]}


def bound(value: str) -> str:
    return re.sub(r"\$\{([^}]+)\}", lambda match: BOUND[match[1]], value)


def fly_secrets(name: str) -> list[str]:
    """Return the names that the head of the file lists; fly.toml has no field for secrets."""
    lines = re.findall(r"^#   ([A-Z0-9_ ]+)$", (ROOT / name).read_text(), re.MULTILINE)
    return " ".join(lines).split()


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


def seconds(value: int | str) -> int:
    return int(str(value).removesuffix("s"))


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment without settings, in an empty folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    monkeypatch.chdir(tmp_path)
    return monkeypatch


@pytest.mark.parametrize("name", ALL_FILES)
def test_the_platform_knows_every_key_and_value(name: str) -> None:
    assert problems(name, read(name)) == []


@pytest.mark.parametrize("name", ALL_FILES)
def test_a_misspelt_key_would_be_noticed(name: str) -> None:
    document = read(name)
    inner = document["deploy"] if name.endswith(".toml") else document["services"][0]
    inner["instance_cout"] = 1
    assert len(problems(name, document)) == 1


@pytest.mark.parametrize("name", ALL_FILES)
def test_every_variable_is_a_setting(name: str) -> None:
    document = read(name)
    keys = [*document["env"], *fly_secrets(name)] if name.endswith(".toml") else [v["key"] for v in variables(document)]
    assert len(keys) == len(set(keys))
    assert set(keys) - set(Settings.model_fields) <= NOT_SETTINGS


@pytest.mark.parametrize("name", ALL_FILES)
def test_the_application_starts_with_them(name: str, bare: pytest.MonkeyPatch) -> None:
    for key, value in environment(name).items():
        bare.setenv(key, value)
    settings = load_settings()
    assert settings.deployed
    assert settings.secure_cookies


@pytest.mark.parametrize("name", SPEC_FILES)
def test_a_secret_is_named_without_a_value(name: str) -> None:
    spec = read(name)
    databases = {database["name"] for database in spec["databases"]}
    for item in variables(spec):
        assert item["scope"] == "RUN_TIME", item
        if item.get("type") == "SECRET":
            assert "value" not in item, item["key"]
        elif is_secret(item["key"]):
            reference = re.fullmatch(r"\$\{(\w+)\.DATABASE_URL\}", item["value"])
            assert reference, item["key"]
            assert reference[1] in databases


@pytest.mark.parametrize("name", ALL_FILES)
def test_no_file_holds_a_secret(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "EV[" not in text
    assert not re.search(r"://[^/\s]*:[^/\s]*@", text)
    if name.endswith(".toml"):
        assert not [key for key in read(name)["env"] if is_secret(key)]


def is_secret(key: str) -> bool:
    field = Settings.model_fields.get(key)
    return field is not None and "SecretStr" in str(field.annotation)


def test_the_environments_of_app_platform_differ_in_this_alone() -> None:
    assert differences(read(APP_SPECS["staging"]), read(APP_SPECS["production"])) == {
        "/name",
        "/alerts/AUTOSCALE_FAILED/rule",
        "/databases/db/cluster_name",
        "/databases/valkey/cluster_name",
        "/envs/ENVIRONMENT/value",
        "/services/api/instance_size_slug",
        "/services/api/instance_count",
        "/services/api/autoscaling/min_instance_count",
        "/services/api/autoscaling/max_instance_count",
        "/services/api/autoscaling/metrics/cpu/percent",
        "/services/web/instance_size_slug",
        "/services/web/instance_count",
    }


def test_the_environments_of_fly_differ_in_this_alone() -> None:
    staging, production = read(FLY["staging"]), read(FLY["production"])
    assert differences(staging, production) == {"/app", "/env/ENVIRONMENT", "/env/PUBLIC_URL"}
    assert fly_secrets(FLY["staging"]) == fly_secrets(FLY["production"])
    for document in (staging, production):
        assert document["env"]["PUBLIC_URL"] == f"https://{document['app']}.fly.dev"


@pytest.mark.parametrize("name", APP_SPECS.values())
def test_an_image_is_a_digest_that_the_deploy_tool_fills_in(name: str) -> None:
    for component in components(read(name)).values():
        repository = "slipway-web" if component["name"] == "web" else "slipway-app"
        digest = "sha256:" + 64 * "0"
        assert component["image"] == {"registry_type": "DOCR", "repository": repository, "digest": digest}


def test_the_button_builds_what_the_dockerfile_ends_with() -> None:
    stages = re.findall(r"^FROM .+ AS (\w+)$", (ROOT / "docker/Dockerfile").read_text(), re.MULTILINE)
    assert stages[-1] == "app"
    for component in components(read(BUTTON)).values():
        assert component["dockerfile_path"] == "docker/Dockerfile"


@pytest.mark.parametrize("name", ALL_FILES)
def test_every_command_is_one_of_the_image(name: str) -> None:
    document = read(name)
    if name.endswith(".toml"):
        roles = {*document["processes"].values(), document["deploy"]["release_command"]}
    else:
        commands = [component.get("run_command") for component in components(document).values()]
        roles = {command.removeprefix("/app/docker/entrypoint ") for command in commands if command}
    procfile = {line.partition(":")[0] for line in (ROOT / "Procfile").read_text().splitlines()}
    commands_of_backend = {command.name or command.callback.__name__ for command in cli.registered_commands}
    # backup comes with the data.
    assert roles <= procfile | commands_of_backend | {"backup"}


@pytest.mark.parametrize("name", SPEC_FILES)
def test_the_schema_is_brought_up_to_date_before_a_deploy(name: str) -> None:
    jobs = components(read(name))
    assert jobs["migrate"]["kind"] == "PRE_DEPLOY"
    if "backup" in jobs:
        assert jobs["backup"]["kind"] == "SCHEDULED"
        assert jobs["backup"]["schedule"]["time_zone"] == "UTC"


@pytest.mark.parametrize("name", SPEC_FILES)
def test_processes_are_given_the_time_they_need_to_stop(name: str) -> None:
    parts = components(read(name))
    assert parts["worker"]["termination"]["grace_period_seconds"] >= longest_job() + 20
    assert parts["api"]["termination"]["grace_period_seconds"] >= longest_request() + 10


@pytest.mark.parametrize("name", FLY.values())
def test_machines_are_given_the_time_they_need_to_stop(name: str) -> None:
    document = read(name)
    assert document["kill_signal"] == "SIGTERM"
    # Fly gives no more than 300 s.
    assert max(longest_job(), longest_request()) + 20 <= document["kill_timeout"] <= 300
    assert document["deploy"]["strategy"] == "rolling"


def longest_job() -> int:
    return int(Settings.model_fields["JOB_TIME_LIMIT_SECONDS"].default)


def longest_request() -> int:
    found = re.search(r"^graceful_timeout = (\d+)$", (ROOT / "backend/gunicorn_config.py").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


@pytest.mark.parametrize("name", SPEC_FILES)
def test_health_is_asked_where_it_is_answered(name: str) -> None:
    parts = components(read(name))
    api = parts["api"]
    assert api["health_check"]["http_path"] == "/health/ready"
    assert api["liveness_health_check"]["http_path"] == "/health/live"
    assert health_paths(api) <= documented_paths()
    assert api["health_check"]["timeout_seconds"] > Settings.model_fields["DATABASE_POOL_TIMEOUT_SECONDS"].default
    if "web" in parts:
        caddyfile = (ROOT / "docker/web.Caddyfile").read_text()
        assert all(f"handle {path} " in caddyfile for path in health_paths(parts["web"]))


@pytest.mark.parametrize("name", FLY.values())
def test_fly_asks_for_health_and_metrics_where_they_are(name: str) -> None:
    document = read(name)
    service = document["http_service"]
    (check,) = service["checks"]
    assert check["path"] in documented_paths()
    assert seconds(check["timeout"]) > Settings.model_fields["DATABASE_POOL_TIMEOUT_SECONDS"].default
    assert service["internal_port"] == Settings.model_fields["PORT"].default
    ports = {document["checks"]["metrics"]["port"], *(one["port"] for one in document["metrics"])}
    assert ports == {int(document["env"]["METRICS_PORT"])}
    assert {group for one in document["metrics"] for group in one["processes"]} == set(document["processes"])


@pytest.mark.parametrize("name", SPEC_FILES)
def test_every_address_reaches_its_component_unchanged(name: str) -> None:
    rules = read(name)["ingress"]["rules"]
    assert all(rule["component"]["preserve_path_prefix"] for rule in rules)
    prefixes = {rule["match"]["path"]["prefix"]: rule["component"]["name"] for rule in rules}
    for path in [*documented_paths(), "/docs", "/openapi.json"]:
        longest = max((prefix for prefix in prefixes if path.startswith(prefix)), key=len)
        assert prefixes[longest] == "api", path
    assert prefixes["/"] == ("api" if name == BUTTON else "web")


@pytest.mark.parametrize("name", SPEC_FILES)
def test_a_deploy_takes_no_more_connections_than_the_smallest_database_has(name: str) -> None:
    parts, values = components(read(name)), environment(name)
    pool = int(values["DATABASE_POOL_SIZE"])
    assert pool >= CONNECTIONS_OF_A_WORKER_PROCESS
    api = instances(parts["api"]) * int(values["WEB_CONCURRENCY"]) * pool
    worker = instances(parts["worker"]) * int(values["WORKER_CONCURRENCY"]) * pool
    # Old and new run side by side; migrate has ended by then.
    assert 2 * (api + worker) + ("backup" in parts) <= CONNECTIONS


def instances(component: Spec) -> int:
    return int(
        component["autoscaling"]["max_instance_count"] if "autoscaling" in component else component["instance_count"]
    )


@pytest.mark.parametrize("name", FLY.values())
def test_machines_take_no_more_connections_than_a_small_database_has(name: str) -> None:
    values = read(name)["env"]
    web = FLY_MACHINES["web"] * int(values["WEB_CONCURRENCY"])
    worker = FLY_MACHINES["worker"] * int(values["WORKER_CONCURRENCY"])
    assert int(values["DATABASE_POOL_SIZE"]) >= CONNECTIONS_OF_A_WORKER_PROCESS
    assert (web + worker) * int(values["DATABASE_POOL_SIZE"]) + 1 <= CONNECTIONS


@pytest.mark.parametrize("name", SPEC_FILES)
def test_sizes_hold_what_was_measured_and_can_be_multiplied(name: str) -> None:
    for component in components(read(name)).values():
        size = component["instance_size_slug"]
        found = re.fullmatch(r"apps-([sd])-\d+vcpu-([\d.]+)gb(-fixed)?", size)
        assert found, size
        assert float(found[2]) * 1024 >= MEMORY[component["name"]] * ROOM
        if "autoscaling" in component:
            # Whether shared sizes scale by themselves, DigitalOcean's pages contradict one another.
            assert found[1] == "d"
            assert "instance_count" not in component
        elif component.get("instance_count", 1) > 1:
            assert size not in FIXED_SIZES


@pytest.mark.parametrize("name", FLY.values())
def test_every_group_has_a_machine_that_holds_it(name: str) -> None:
    document = read(name)
    memory = {group: one["memory"] for one in document["vm"] for group in one["processes"]}
    assert memory.keys() == document["processes"].keys()
    for group, text in memory.items():
        megabytes = int(text.removesuffix("mb")) if text.endswith("mb") else 1024 * int(text.removesuffix("gb"))
        assert megabytes >= MEMORY["api" if group == "web" else group] * ROOM


@pytest.mark.parametrize("name", FLY.values())
def test_a_clients_address_is_found_in_what_fly_sends(name: str) -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    for own in ("2a09:8280:1::af:1aa1:0", "66.241.124.230", "66.241.125.241"):
        # The first address is the client's own invention.
        headers = [(b"x-forwarded-for", f"198.51.100.66, 203.0.113.7, {own}".encode())]
        scope = {"type": "http", "client": ("172.16.3.4", 4711), "scheme": "http", "headers": headers}
        middleware = ProxyHeadersMiddleware(app, read(name)["env"]["FORWARDED_ALLOW_IPS"])
        asyncio.run(middleware(scope, None, None))
    assert set(seen) == {"203.0.113.7"}
