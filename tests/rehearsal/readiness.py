"""Whether a new container may take requests: asked as the spec's health check says, and watched for an early end."""

import socket
import threading
import time
from typing import Any

import httpx

from tests.rehearsal import containers
from tests.rehearsal.containers import Container

# App Platform's own values where a spec gives none.
DEFAULTS = {
    "initial_delay_seconds": 0,
    "period_seconds": 10,
    "timeout_seconds": 1,
    "success_threshold": 1,
    "failure_threshold": 9,
}
LOOK_SECONDS = 0.5


class NotReady(Exception):
    """A container that did not become ready, with what it wrote."""


def wait_until_ready(one: Container, service: dict[str, Any], ended: threading.Event) -> None:
    """Ask a service's container until it is ready. Raises NotReady, also when the deployment ended."""
    check = DEFAULTS | service.get("health_check", {})
    successes = failures = 0
    watch(one, check["initial_delay_seconds"], ended)
    while True:
        problem = _asked(one, check.get("port", service["http_port"]), check)
        successes, failures = (0, failures + 1) if problem else (successes + 1, 0)
        if successes >= check["success_threshold"]:
            return
        if failures >= check["failure_threshold"]:
            raise NotReady(f"{one.name}: readiness probe failed: {problem}\n{containers.logs(one)}")
        watch(one, check["period_seconds"], ended)


def watch(one: Container, seconds: float, ended: threading.Event) -> None:
    """Wait. Raises NotReady when the container ends meanwhile, or the deployment does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ended.wait(min(LOOK_SECONDS, seconds)):
            raise NotReady(f"{one.name}: the deployment ended")
        if (code := containers.exit_code(one)) is not None:
            raise NotReady(f"{one.name} exited with {code}\n{containers.logs(one)}")


def _asked(one: Container, port: int, check: dict[str, Any]) -> str:
    """Return why a container is not ready, "" when it is."""
    try:
        if "http_path" not in check:
            socket.create_connection((one.address, port), check["timeout_seconds"]).close()
            return ""
        url = f"http://{one.address}:{port}{check['http_path']}"
        status = httpx.get(url, timeout=check["timeout_seconds"], trust_env=False).status_code
    except (httpx.TransportError, OSError) as error:
        return type(error).__name__
    return "" if 200 <= status < 400 else f"{check['http_path']} answered {status}"
