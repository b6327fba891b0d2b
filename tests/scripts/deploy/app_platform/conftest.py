"""An account for each test, with the one real site of the session behind its live URLs."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scripts.deploy.app_platform.account import Account
from tests.scripts.deploy.site import Front, real_site
from tests.servers import ROOT
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.app_platform.server import app_platform, served
from tests.simulators.registry.server import DIGITALOCEAN, oci_registry


@pytest.fixture(scope="session")
def site(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real site, which every release of every test has behind it."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copyfile(sqlite_template, folder / "site.db")
    with real_site(f"sqlite:///{folder / 'site.db'}", folder) as url:
        yield url


@pytest.fixture
def runner() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
def account(
    runner: ScriptedRunner,
    site: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Account]:
    """An account with an empty registry and no app."""
    with app_platform(runner) as platform:
        cloud = platform.cloud
        cloud.site = lambda app: platform.stack.enter_context(served(Front(cloud, app, site, runner)))
        with oci_registry(cloud.registry, namespace="slipway", credentials=DIGITALOCEAN) as registry:
            for name in [name for name in os.environ if name.startswith(("SMOKE_", "DOCKER_HOST"))]:
                monkeypatch.delenv(name)
            monkeypatch.setenv("DIGITALOCEAN_ACCESS_TOKEN", platform.token)
            monkeypatch.setenv("DIGITALOCEAN_API_URL", platform.url)
            monkeypatch.setenv("IMAGE_PREFIX", registry.prefix)
            monkeypatch.setenv("PYTHONPATH", str(ROOT))
            # Where the lock is: a person of this folder, and other tests, may be deploying at the same time.
            monkeypatch.setattr("scripts.deploy.__main__.LOCKS", tmp_path / "locks")
            monkeypatch.setattr("scripts.deploy.smoke.SETTLE_SECONDS", 0)
            yield Account(platform, registry, runner, capsys)
        assert not [seen for seen in platform.face.seen if platform.token in f"{seen.path} {seen.query}"]
