"""An organisation for each test, with the one real site of the session behind its apps."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import pytest

from tests.scripts.deploy.app_platform.conftest import site
from tests.scripts.deploy.fly.organisation import STAGING, Live, Organisation
from tests.scripts.deploy.site import Front
from tests.servers import ROOT
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.app_platform.server import served
from tests.simulators.flyctl.install import install_flyctl
from tests.simulators.registry.server import FLY, oci_registry

__all__ = ["site"]


@pytest.fixture(scope="session")
def head() -> str:
    """The commit that is checked out: one whose configuration git has."""
    asked = ["git", "rev-parse", "HEAD"]
    return subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def organisation(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Organisation]:
    """An organisation with an empty registry and no app."""
    fly, runner = install_flyctl(tmp_path), ScriptedRunner()
    with oci_registry(credentials=FLY, scheme="Basic") as registry:
        for name in [name for name in os.environ if name.startswith(("SMOKE_", "FLY_"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PATH", fly.environment["PATH"])
        monkeypatch.setenv("FLY_API_TOKEN", fly.token)
        monkeypatch.setenv("IMAGE_PREFIX", registry.prefix)
        # Where the lock is: a person of this folder, and other tests, may be deploying at the same time.
        monkeypatch.setattr("scripts.deploy.__main__.LOCKS", tmp_path / "locks")
        monkeypatch.setattr("scripts.deploy.smoke.SETTLE_SECONDS", 0)
        yield Organisation(fly, registry, runner, capsys)


@pytest.fixture
def live(organisation: Organisation, site: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Put an app on the network in the place of its address on fly.dev; staging is there from the beginning."""
    with ExitStack() as stack:

        def show(name: str) -> str:
            app = cast("Any", Live(organisation, name))
            url = stack.enter_context(served(Front(cast("Any", None), app, site, organisation.runner)))
            monkeypatch.setenv("SMOKE_URL", url)
            return url

        show(STAGING)
        yield show
