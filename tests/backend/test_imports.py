"""The web process must not import heavy libraries at start, because it needs them later or never."""

import subprocess
import sys

import pytest

from tests.servers import ROOT
from tests.time_limits import scaled

HEAVY = [
    "alembic",
    "argon2",
    "authlib",
    "billiard",
    "boto3",
    "botocore",
    "celery",
    "cryptography",
    "httpx",
    "httpx2",
    "joserfc",
    "kombu",
    "limits",
    "pwdlib",
    "pybreaker",
    "pyvips",
    "redis",
    "sentry_sdk",
    "typer",
]


@pytest.mark.parametrize("module", ["backend.main", "backend.web.gunicorn_config"])
def test_the_web_process_starts_without_heavy_libraries(module: str) -> None:
    code = f"import sys, {module}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT), "ENVIRONMENT": "test"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=scaled(30),
    )
    loaded = set(result.stdout.split())
    assert "backend.settings" in loaded
    assert loaded & set(HEAVY) == set()
