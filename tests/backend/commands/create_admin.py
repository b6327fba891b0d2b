"""Runs `python -m backend create-admin` as a subprocess."""

import subprocess
import sys

from backend.settings import Settings
from tests.servers import ROOT, environment_of
from tests.time_limits import scaled

EMAIL = "first.admin@example.org"
SECRET = "c4n4ry of the first admin"


def run(settings: Settings, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command without a terminal, and check that it prints no traceback or password."""
    result = subprocess.run(
        [sys.executable, "-m", "backend", "create-admin", *arguments],
        cwd=ROOT,
        env=environment_of(settings) | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=scaled(60),
    )
    assert "Traceback" not in result.stderr
    assert SECRET not in result.stdout + result.stderr
    return result
