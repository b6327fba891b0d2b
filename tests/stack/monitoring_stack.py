"""The monitoring beside a real edge, PostgreSQL and Valkey; no process of the application runs."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts.stack.docker import ROOT, Stack, docker
from scripts.valkey import free_port

SERVICES = ("edge", "postgres", "valkey", "prometheus", "alertmanager", "postgres-exporter", "redis-exporter")
RELEASE = {"APP_IMAGE": "not-started", "WEB_IMAGE": "not-started"}
CREATE_TABLE = (
    'PGPASSWORD=$(cat /run/secrets/postgres_password) psql -h 127.0.0.1 -U slipway -c "CREATE TABLE one (id int)"'
)
SETTINGS = {
    "SITE_ADDRESS": "studio.test",
    "PUBLIC_URL": "https://studio.test",
    "EDGE_OPTIONS": "local_certs",
    "COMPOSE_PROFILES": "monitoring",
    "MONITORING_EDGE": "on",
    "MONITORING_ADDRESS": "ops.test",
    # Beside another stack of the tests.
    "FRONT_SUBNET": "10.201.78.0/24",
}


@dataclass(frozen=True)
class Watched:
    """The running services, and the port of 127.0.0.1 on which the edge answers."""

    stack: Stack
    port: int

    def visit(self, host: str, path: str, user: tuple[str, str] | None = None) -> httpx.Response:
        """Ask the edge as a visitor of `host` would."""
        with httpx.Client(verify=False, timeout=30) as client:  # the edge's CA is one of this test's own
            address = f"https://127.0.0.1:{self.port}{path}"
            return client.get(address, headers={"Host": host}, extensions={"sni_hostname": host}, auth=user)

    def ask(self, query: str) -> str:
        """Return what Prometheus answers, as text."""
        return self.run_in("prometheus", "promtool", "query", "instant", "http://localhost:9090", query)

    def metrics(self) -> set[str]:
        """Return the names of all metrics that Prometheus holds."""
        query = ("promtool", "query", "labels", "http://localhost:9090", "__name__")
        return set(self.run_in("prometheus", *query).split())

    def run_in(self, service: str, *command: str) -> str:
        """Run a command in a service's only container."""
        return docker("exec", self.stack.containers(service)[0].id, *command)


@contextmanager
def watched_stack(folder: Path) -> Iterator[Watched]:
    """Start the services with secrets of their own; remove them and their volumes at the end."""
    _make_secrets(folder)
    port = free_port()
    door = folder / "door.yaml"
    door.write_text(f'services: {{edge: {{ports: !override ["127.0.0.1:{port}:443"]}}}}\n')
    watched = Watched(Stack(folder, f"slipway-watched-{os.getpid()}", (door,)), port)
    try:
        watched.stack.compose("up", "--detach", "--wait", "--no-deps", *SERVICES, release=RELEASE)
        # The exporter measures tables, and migrate did not run.
        watched.run_in("postgres", "sh", "-c", CREATE_TABLE)
        yield watched
    finally:
        watched.stack.compose("down", "--volumes", "--timeout", "5", release=RELEASE)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Ask until a condition holds; two intervals of scraping are 30 seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(1)


def _make_secrets(folder: Path) -> None:
    settings = {**SETTINGS, "MONITORING_PASSWORD_HASH_FILE": str(folder / "secrets" / "monitoring_password_hash")}
    (folder / "settings.env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("s3_secret_access_key", "smtp_password"):
        (secrets / name).write_text("not-used-here")
    hashed = docker("run", "--rm", "caddy:2.11", "caddy", "hash-password", "--plaintext", "a-password")
    (secrets / "monitoring_password_hash").write_text(hashed)
    subprocess.run([ROOT / "scripts/make-secrets", folder], check=True, stdout=subprocess.DEVNULL)
