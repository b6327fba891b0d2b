"""The metrics directory shared by the processes of one start, and errors without it."""

import os
import subprocess
from pathlib import Path

import pytest

from backend.infra.metrics import serve
from backend.settings import load_settings
from tests.servers import ROOT

SHOW = ["docker/with-metrics", "sh", "-c", "echo ${PROMETHEUS_MULTIPROC_DIR-none}"]


def directory(temporary: Path, **environment: str) -> str:
    """Return the directory that with-metrics passes to a command, or none."""
    values = {"PATH": os.environ["PATH"], "TMPDIR": str(temporary), **environment}
    return subprocess.run(SHOW, cwd=ROOT, env=values, capture_output=True, text=True, check=True).stdout.strip()


def test_each_start_gets_a_new_directory(tmp_path: Path) -> None:
    paths = {Path(directory(tmp_path, METRICS_PORT="9100", PROMETHEUS_MULTIPROC_DIR="/of-another")) for _ in range(2)}
    assert len(paths) == 2
    for path in paths:
        assert path.parent == tmp_path
        assert list(path.iterdir()) == []


@pytest.mark.parametrize("environment", [{}, {"METRICS_PORT": ""}, {"METRICS_PORT": "0"}])
def test_there_is_no_directory_without_a_port(tmp_path: Path, environment: dict[str, str]) -> None:
    assert directory(tmp_path, PROMETHEUS_MULTIPROC_DIR="/of-another", **environment) == "none"
    assert list(tmp_path.iterdir()) == []


def test_metrics_are_not_served_without_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    with pytest.raises(SystemExit, match=r"METRICS_PORT: .*PROMETHEUS_MULTIPROC_DIR.*docker/with-metrics"):
        serve(load_settings(METRICS_PORT=9100), "web")
