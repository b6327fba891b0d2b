"""flyctl's documents are read in the spellings of all versions; only Machines of process groups count."""

from pathlib import Path
from typing import Any

import pytest

from scripts.deploy.fly import documents
from scripts.deploy.fly.flyctl import Flyctl
from scripts.deploy.report import Report
from scripts.deploy.system import System
from tests.scripts.deploy.tool import Clock


@pytest.mark.parametrize(
    "printed",
    [
        '[{"version": 3, "in_progress": true, "image_ref": "r/a:sha-1", "status": "running"}]',
        '[{"Version": 3, "InProgress": true, "ImageRef": "r/a:sha-1", "Status": "running"}]',
    ],
)
def test_releases_are_read_in_both_spellings_of_flyctl(
    printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "flyctl"
    program.write_text(f"#!/bin/sh\necho '{printed}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FLY_API_TOKEN", "fly-test-token")
    clock = Clock()
    report = Report("status", "staging", "fly", as_json=False, clock=clock)
    (release,) = Flyctl(System(clock.sleep, clock), report, "slipway-staging").read_json("releases")
    assert release == {"version": 3, "in_progress": True, "image_ref": "r/a:sha-1", "status": "running"}


def machine(group: str, version: str = "2", platform: str = "v2", incomplete: bool = False) -> dict[str, Any]:
    metadata = {"fly_process_group": group, "fly_release_version": version, "fly_platform_version": platform}
    return {"id": group, "incomplete_config" if incomplete else "config": {"metadata": metadata}}


def test_machines_outside_process_groups_are_ignored() -> None:
    mine = [machine("web", "10"), machine("worker", "9", incomplete=True)]
    others = [machine("fly_app_release_command", "11"), machine("fly_app_console"), machine("web", platform="")]
    others += [machine("web") | {"state": state} for state in ("destroying", "destroyed")]
    found = documents.machines_of_app([*mine, *others, {"id": "bare", "config": None}])
    assert found == mine
    assert documents.newest_of(found) == "v10"


@pytest.mark.parametrize(
    ("reference", "image"),
    [
        ("registry.fly.io/slipway-staging:sha-1", ("sha-1", "")),
        ("registry.fly.io/slipway-staging:sha-1@sha256:a", ("sha-1", "sha256:a")),
        ("registry.fly.io/slipway-staging@sha256:a", ("", "sha256:a")),
        ("127.0.0.1:5000/slipway-staging", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_image_of_a_release_is_named_by_tag_or_digest(reference: str, image: tuple[str, str]) -> None:
    assert documents.image_of({"image_ref": reference}) == image
