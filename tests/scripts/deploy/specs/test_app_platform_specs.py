"""The specs of App Platform meet the application's needs."""

import re

import pytest

from backend.infra.metrics import LIVE_PATH
from backend.settings import Settings
from tests.scripts.deploy.specs.reading import (
    APP_SPECS,
    BUTTON,
    CONNECTIONS,
    CONNECTIONS_OF_A_WORKER_PROCESS,
    MEMORY,
    ROOM,
    SPEC_FILES,
    Spec,
    client_seen,
    components,
    differences,
    documented_paths,
    environment,
    health_paths,
    is_secret,
    longest_job,
    longest_request,
    read,
    variables,
)
from tests.servers import ROOT

FIXED_SIZES = ("apps-s-1vcpu-0.5gb", "apps-s-1vcpu-1gb-fixed")
# The only settings in which staging and production may differ.
DIFFERENCES = {
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


def test_the_environments_of_app_platform_differ_only_in_the_listed_settings() -> None:
    found = differences(read(APP_SPECS["staging"]), read(APP_SPECS["production"]))
    assert found == DIFFERENCES


@pytest.mark.parametrize("name", APP_SPECS.values())
def test_images_have_a_placeholder_digest(name: str) -> None:
    for component in components(read(name)).values():
        repository = "slipway-web" if component["name"] == "web" else "slipway-app"
        digest = "sha256:" + 64 * "0"
        assert component["image"] == {"registry_type": "DOCR", "repository": repository, "digest": digest}


def test_the_button_builds_the_last_stage_of_the_dockerfile() -> None:
    stages = re.findall(r"^FROM .+ AS (\w+)$", (ROOT / "docker/Dockerfile").read_text(), re.MULTILINE)
    assert stages[-1] == "app"
    for component in components(read(BUTTON)).values():
        assert component["dockerfile_path"] == "docker/Dockerfile"


@pytest.mark.parametrize("name", SPEC_FILES)
def test_migrations_run_before_a_deployment(name: str) -> None:
    assert components(read(name))["migrate"]["kind"] == "PRE_DEPLOY"


@pytest.mark.parametrize("name", SPEC_FILES)
def test_processes_have_enough_time_to_stop(name: str) -> None:
    parts = components(read(name))
    assert parts["worker"]["termination"]["grace_period_seconds"] >= longest_job() + 20
    assert parts["api"]["termination"]["grace_period_seconds"] >= longest_request() + 10


@pytest.mark.parametrize("name", SPEC_FILES)
def test_health_checks_use_existing_paths(name: str) -> None:
    parts = components(read(name))
    api = parts["api"]
    assert api["health_check"]["http_path"] == "/health/ready"
    assert api["liveness_health_check"]["http_path"] == "/health/live"
    assert health_paths(api) <= documented_paths()
    assert api["health_check"]["timeout_seconds"] > Settings.model_fields["DATABASE_POOL_TIMEOUT_SECONDS"].default
    if "web" in parts:
        caddyfile = (ROOT / "docker/web.Caddyfile").read_text()
        assert all(f"handle {path} " in caddyfile for path in health_paths(parts["web"]))


@pytest.mark.parametrize("name", APP_SPECS.values())
@pytest.mark.parametrize("role", ["worker", "beat"])
def test_a_stuck_worker_or_beat_is_restarted_but_a_slow_one_is_not(role: str, name: str) -> None:
    component = components(read(name))[role]
    check = component["liveness_health_check"]
    assert check["http_path"] == LIVE_PATH
    assert {item["key"]: item["value"] for item in component["envs"]} == {"METRICS_PORT": str(check["port"])}
    assert " HEARTBEAT_FILE=/" in (ROOT / "docker/Dockerfile").read_text()
    # The check fails only after the heartbeat has been missing for SILENT_SECONDS.
    assert 60 <= check["period_seconds"] * check["failure_threshold"] <= 120


@pytest.mark.parametrize("name", APP_SPECS.values())
def test_only_worker_and_beat_serve_metrics(name: str) -> None:
    spec = read(name)
    measured = {part for part, one in components(spec).items() if "METRICS_PORT" in str(one.get("envs"))}
    assert measured == {"worker", "beat"}
    assert "METRICS_PORT" not in str(spec["envs"])


@pytest.mark.parametrize("name", SPEC_FILES)
@pytest.mark.parametrize("ingress", ["10.244.3.4", "100.64.7.8"])
def test_the_client_address_is_read_from_app_platforms_header(name: str, ingress: str) -> None:
    headers = {"X-Forwarded-For": "198.51.100.66, 192.0.2.9", "do-connecting-ip": "203.0.113.7"}
    assert client_seen(name, ingress, headers) == "203.0.113.7"


@pytest.mark.parametrize("name", SPEC_FILES)
def test_every_path_reaches_its_component_unchanged(name: str) -> None:
    rules = read(name)["ingress"]["rules"]
    assert all(rule["component"]["preserve_path_prefix"] for rule in rules)
    prefixes = {rule["match"]["path"]["prefix"]: rule["component"]["name"] for rule in rules}
    for path in [*documented_paths(), "/docs", "/openapi.json"]:
        longest = max((prefix for prefix in prefixes if path.startswith(prefix)), key=len)
        assert prefixes[longest] == "api", path
    assert prefixes["/"] == ("api" if name == BUTTON else "web")


@pytest.mark.parametrize("name", SPEC_FILES)
def test_a_deployment_fits_into_the_connections_of_the_smallest_database(name: str) -> None:
    parts, values = components(read(name)), environment(name)
    pool = int(values["DATABASE_POOL_SIZE"])
    assert pool >= CONNECTIONS_OF_A_WORKER_PROCESS
    api = instances(parts["api"]) * int(values["WEB_CONCURRENCY"]) * pool
    worker = instances(parts["worker"]) * int(values["WORKER_CONCURRENCY"]) * pool
    # Old and new instances run at the same time; migrate has ended by then.
    assert 2 * (api + worker) <= CONNECTIONS


def instances(component: Spec) -> int:
    return int(
        component["autoscaling"]["max_instance_count"] if "autoscaling" in component else component["instance_count"]
    )


@pytest.mark.parametrize("name", SPEC_FILES)
def test_instance_sizes_fit_the_measured_memory_and_can_be_scaled(name: str) -> None:
    for component in components(read(name)).values():
        size = component["instance_size_slug"]
        found = re.fullmatch(r"apps-([sd])-\d+vcpu-([\d.]+)gb(-fixed)?", size)
        assert found, size
        assert float(found[2]) * 1024 >= MEMORY[component["name"]] * ROOM
        if "autoscaling" in component:
            # DigitalOcean's pages contradict each other on whether shared sizes support autoscaling.
            assert found[1] == "d"
            assert "instance_count" not in component
        elif component.get("instance_count", 1) > 1:
            assert size not in FIXED_SIZES
