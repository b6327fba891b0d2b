"""One real site, shared by all tests of the deploy tool."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.deploy.site import real_site


@pytest.fixture(scope="session")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real site, used for every release in every test."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copyfile(sqlite_template, folder / "site.db")
    with real_site(f"sqlite:///{folder / 'site.db'}", folder) as url:
        yield url


@pytest.fixture
def own_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The deploy tool without this machine's environment and locks, which a running command may hold."""
    for name in [name for name in os.environ if name.startswith(("SMOKE_", "FLY_", "DOCKER_HOST"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr("scripts.deploy.__main__.LOCKS", tmp_path / "locks")
    monkeypatch.setattr("scripts.deploy.smoke.SETTLE_SECONDS", 0)
    return monkeypatch
