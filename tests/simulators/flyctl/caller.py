"""Calls the flyctl simulator as a deploy tool does."""

import json
import subprocess

from tests.simulators.flyctl.install import Flyctl
from tests.time_limits import scaled

OLD, NEW = "registry.fly.io/slipway:sha-old", "registry.fly.io/slipway:sha-new"


def run(fly: Flyctl, *argv: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["flyctl", *argv],
        env=fly.environment,
        cwd=fly.folder,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(30),
    )


def deploy(fly: Flyctl, image: str = NEW, *more: str) -> subprocess.CompletedProcess[str]:
    return run(fly, "deploy", "-c", "fly.production.toml", "--image", image, "--yes", *more)


def digests(fly: Flyctl) -> list[str]:
    machines = json.loads(run(fly, "machine", "list", "-a", "slipway", "--json").stdout)
    return [machine["image_ref"]["digest"] for machine in machines]
