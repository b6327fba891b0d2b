"""Docker's health check, which starts for each check and therefore imports nothing of the application."""

import runpy

from tests.servers import ROOT
from worker.heartbeat_file import SILENT_SECONDS


def test_it_allows_a_heartbeat_the_same_age_as_the_worker() -> None:
    healthcheck = runpy.run_path(str(ROOT / "docker" / "healthcheck.py"))
    assert healthcheck["SILENT_SECONDS"] == SILENT_SECONDS
