"""A simulated Fly.io with one running app."""

from pathlib import Path

import pytest

from tests.simulators.flyctl.caller import NEW, OLD
from tests.simulators.flyctl.install import Flyctl, install_flyctl

CONFIG = 'app = "slipway"\n[deploy]\nrelease_command = "python -m backend migrate"\n'


@pytest.fixture
def fly(tmp_path: Path) -> Flyctl:
    fly = install_flyctl(tmp_path)
    fly.add_app("slipway", OLD, "sha256:old", ("app", "app", "worker", "beat"))
    fly.push(NEW, "sha256:new")
    (tmp_path / "fly.production.toml").write_text(CONFIG)
    return fly
