"""Docker's health check, which imports nothing from the application to start fast."""

import runpy

from tests.servers import ROOT
from worker.heartbeat_file import SILENT_SECONDS


def test_the_health_check_and_the_worker_allow_the_same_heartbeat_age() -> None:
    healthcheck = runpy.run_path(str(ROOT / "docker" / "healthcheck.py"))
    assert healthcheck["SILENT_SECONDS"] == SILENT_SECONDS
