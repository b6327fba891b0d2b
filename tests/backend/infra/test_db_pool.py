"""What metrics tell of the connection pool, in a process of its own: recording can't be switched off again."""

import subprocess
import sys
from pathlib import Path

from tests.servers import ROOT

SCRIPT = """
import sys, time
from prometheus_client import generate_latest
from sqlalchemy.exc import TimeoutError
from backend.infra.metrics import start_recording
from backend.settings import load_settings

registry = start_recording(forks=False)

from backend.infra.db import create_engine

engine = create_engine(
    load_settings(DATABASE_URL=sys.argv[1], DATABASE_POOL_SIZE=2, DATABASE_POOL_TIMEOUT_SECONDS=0.05)
)
first, second = engine.connect(), engine.connect()
try:
    engine.connect()
except TimeoutError:
    second.close()
time.sleep(1.5)
print(generate_latest(registry).decode())
"""


def test_connections_and_waits_in_vain_are_counted(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT, f"sqlite:///{tmp_path}/pool.db"],
        env={"PYTHONPATH": str(ROOT), "ENVIRONMENT": "test"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    lines = result.stdout.splitlines()
    assert 'database_pool_connections{state="checked_out"} 1.0' in lines
    assert 'database_pool_connections{state="idle"} 1.0' in lines
    assert "database_pool_timeouts_total 1.0" in lines
