"""What the containers are, as facts read from Docker: users, file systems, secrets, ports; and what Valkey refuses."""

import json
import subprocess

import pytest

from scripts.images import image_name
from scripts.stack.docker import docker
from tests.stack.production import PLACEHOLDER_SECRET, Production

OURS = ("edge", "frontend", "web", "worker", "beat", "postgres", "valkey")


def _inspect(site: Production, service: str) -> list[dict]:  # type: ignore[type-arg]
    found = [one.id for one in site.containers(service)]
    assert found, service
    return list(json.loads(docker("inspect", *found)))


@pytest.mark.parametrize("service", OURS)
def test_a_container_is_not_root_and_may_not_become_it(site: Production, service: str) -> None:
    for one in _inspect(site, service):
        status = docker("exec", one["Id"], "cat", "/proc/1/status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["Uid"].split()[0] != "0"
        assert int(fields["CapEff"], 16) == 0
        assert int(fields["CapBnd"], 16) == 0
        assert fields["NoNewPrivs"] == "1"


@pytest.mark.parametrize("service", OURS)
def test_a_containers_root_can_not_be_written(site: Production, service: str) -> None:
    for one in _inspect(site, service):
        assert one["HostConfig"]["ReadonlyRootfs"]
        written = subprocess.run(
            ["docker", "exec", "--user", "0", one["Id"], "sh", "-c", "touch /usr/x"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Read-only file system" in written.stderr


@pytest.mark.parametrize("service", OURS)
def test_a_container_is_bounded_and_comes_back(site: Production, service: str) -> None:
    for one in _inspect(site, service):
        host = one["HostConfig"]
        assert host["Memory"] > 0
        assert host["NanoCpus"] > 0
        assert host["PidsLimit"] > 0
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert host["LogConfig"]["Config"]["max-size"] == "10m"
        assert one["State"]["Health"]["Status"] == "healthy"


def test_only_the_edge_has_a_public_port(site: Production) -> None:
    published = {
        service: ports
        for service in OURS
        for one in _inspect(site, service)
        if (ports := list(one["HostConfig"]["PortBindings"] or {}))
    }
    assert published == {"edge": ["443/tcp"]}


def test_no_secret_is_in_what_docker_tells(site: Production) -> None:
    folder = site.stack.folder / "secrets"
    public = {"valkey_ca", "valkey_certificate"}
    files = {path.name: path.read_text().strip() for path in folder.iterdir() if path.name not in public}
    secrets = {name: value for name, value in files.items() if value}
    assert PLACEHOLDER_SECRET in secrets.values()
    told = "".join(json.dumps(_inspect(site, service)) for service in OURS)
    for target in ("app", "web"):
        name = image_name(target, "test-first")
        told += docker("history", "--no-trunc", name) + docker("inspect", name)
    for service in OURS:
        told += "".join(docker("top", one.id, "-o", "pid,args") for one in site.containers(service))
    passwords = {name: value.rpartition(":")[2].partition("@")[0] for name, value in secrets.items() if "://" in value}
    assert [name for name, value in (secrets | passwords).items() if value in told] == []


@pytest.mark.parametrize(
    ("why", "arguments", "says"),
    [
        ("plain TCP", "-h valkey ping", ("Error", "reset", "closed", "I/O")),
        ("an unknown CA", "--tls --cacert /etc/ssl/certs/ca-certificates.crt -h valkey ping", ("certificate verify",)),
        ("no password", "--tls --cacert /run/secrets/valkey_ca -h valkey ping", ("NOAUTH",)),
    ],
)
def test_valkey_refuses(site: Production, why: str, arguments: str, says: tuple[str, ...]) -> None:
    (valkey,) = site.containers("valkey")
    result = subprocess.run(
        ["docker", "exec", valkey.id, "sh", "-c", f"valkey-cli {arguments}"],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )
    answer = result.stdout + result.stderr
    assert "PONG" not in answer, why
    assert any(word in answer for word in says), answer


def test_a_client_of_ours_refuses_a_valkey_with_a_certificate_of_somebody_else(site: Production) -> None:
    """The application's own client, told another CA: it must not connect."""
    code = (
        "import os; os.environ.pop('REDIS_CA_CERT_FILE')\n"
        "from backend.settings import get_settings; from backend.infra.redis import connect\n"
        "connect(get_settings()).ping()"
    )
    result = subprocess.run(
        ["docker", "exec", site.containers("web")[0].id, "python", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert result.returncode != 0
    assert "CERTIFICATE_VERIFY_FAILED" in result.stderr


@pytest.mark.parametrize(
    ("service", "address", "metric"),
    [
        ("web", "http://127.0.0.1:9100", "http_requests_total"),
        ("worker", "http://127.0.0.1:9100", "job_phase_seconds"),
        ("beat", "http://127.0.0.1:9100", "jobs_in_status"),
        ("web", "http://edge:2020", "caddy_reverse_proxy_upstreams_healthy"),
    ],
)
def test_metrics_are_told_on_the_inside(site: Production, service: str, address: str, metric: str) -> None:
    code = f"import urllib.request as u; print(u.urlopen('{address}/metrics', timeout=10).read().decode())"
    assert metric in docker("exec", site.containers(service)[0].id, "python", "-c", code)
