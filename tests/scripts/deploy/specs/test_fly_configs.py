"""The configurations of Fly meet the application's needs."""

from urllib.parse import urlsplit

import pytest

from backend.infra.metrics import LIVE_PATH
from backend.settings import Settings
from scripts.deploy.fly.commands import NEEDED_SECRETS
from tests.scripts.deploy.specs.reading import (
    CONNECTIONS,
    CONNECTIONS_OF_A_WORKER_PROCESS,
    FLY,
    MEMORY,
    ROOM,
    client_seen,
    differences,
    documented_paths,
    fly_secrets,
    longest_job,
    longest_request,
    read,
)

FLY_MACHINES = {"web": 2, "worker": 1}
# The only settings in which staging and production may differ.
DIFFERENCES = {"/app", "/env/ENVIRONMENT", "/env/PUBLIC_URL"}


def test_the_environments_of_fly_differ_only_in_the_listed_settings() -> None:
    staging, production = read(FLY["staging"]), read(FLY["production"])
    assert differences(staging, production) == DIFFERENCES
    assert fly_secrets(FLY["staging"]) == fly_secrets(FLY["production"])


@pytest.mark.parametrize("name", FLY.values())
def test_the_public_address_is_a_host_with_https(name: str) -> None:
    document = read(name)
    address = urlsplit(document["env"]["PUBLIC_URL"])
    assert address.scheme == "https"
    assert address.path == ""
    if address.netloc.endswith(".fly.dev"):
        assert address.netloc == f"{document['app']}.fly.dev"


@pytest.mark.parametrize("name", FLY.values())
def test_the_deploy_tool_requires_the_secrets_the_file_names(name: str) -> None:
    assert sorted(fly_secrets(name)) == sorted(NEEDED_SECRETS)


@pytest.mark.parametrize("name", FLY.values())
def test_machines_have_enough_time_to_stop(name: str) -> None:
    document = read(name)
    assert document["kill_signal"] == "SIGTERM"
    # Fly allows at most 300 s.
    assert max(longest_job(), longest_request()) + 20 <= document["kill_timeout"] <= 300
    assert document["deploy"]["strategy"] == "rolling"


@pytest.mark.parametrize("name", FLY.values())
def test_health_checks_and_metrics_use_existing_paths_and_ports(name: str) -> None:
    document = read(name)
    service = document["http_service"]
    (check,) = service["checks"]
    assert check["path"] in documented_paths()
    assert seconds(check["timeout"]) > Settings.model_fields["DATABASE_POOL_TIMEOUT_SECONDS"].default
    assert service["internal_port"] == Settings.model_fields["PORT"].default
    live = document["checks"]["live"]
    assert live["path"] == LIVE_PATH
    assert set(live["processes"]) == {"worker", "beat"}
    ports = {live["port"], *(one["port"] for one in document["metrics"])}
    assert ports == {int(document["env"]["METRICS_PORT"])}
    assert {group for one in document["metrics"] for group in one["processes"]} == set(document["processes"])


def seconds(value: int | str) -> int:
    return int(str(value).removesuffix("s"))


@pytest.mark.parametrize("name", FLY.values())
def test_machines_fit_into_the_connections_of_a_small_database(name: str) -> None:
    values = read(name)["env"]
    web = FLY_MACHINES["web"] * int(values["WEB_CONCURRENCY"])
    worker = FLY_MACHINES["worker"] * int(values["WORKER_CONCURRENCY"])
    assert int(values["DATABASE_POOL_SIZE"]) >= CONNECTIONS_OF_A_WORKER_PROCESS
    assert (web + worker) * int(values["DATABASE_POOL_SIZE"]) + 1 <= CONNECTIONS


@pytest.mark.parametrize("name", FLY.values())
def test_every_group_has_a_machine_with_enough_memory(name: str) -> None:
    document = read(name)
    memory = {group: one["memory"] for one in document["vm"] for group in one["processes"]}
    assert memory.keys() == document["processes"].keys()
    for group, text in memory.items():
        megabytes = int(text.removesuffix("mb")) if text.endswith("mb") else 1024 * int(text.removesuffix("gb"))
        assert megabytes >= MEMORY["api" if group == "web" else group] * ROOM


@pytest.mark.parametrize("name", FLY.values())
@pytest.mark.parametrize("own", ["2a09:8280:1::af:1aa1:0", "66.241.124.230", "149.248.200.1"])
def test_the_client_address_is_read_from_flys_header(name: str, own: str) -> None:
    # The client forged the first address; the last is the app's own.
    headers = {"X-Forwarded-For": f"198.51.100.66, 203.0.113.7, {own}", "Fly-Client-IP": "203.0.113.7"}
    assert client_seen(name, "172.16.3.4", headers) == "203.0.113.7"
