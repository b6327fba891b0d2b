"""A simulated Fly.io organisation for each test; its apps serve the real site."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.scripts.deploy.fly.organisation import STAGING, Organisation
from tests.scripts.deploy.site import Proxy
from tests.servers import ROOT
from tests.simulators.flyctl.install import install_flyctl
from tests.simulators.registry.server import FLY, oci_registry
from tests.simulators.serving import serve


@pytest.fixture(scope="session")
def head() -> str:
    """The checked-out commit: git has its configuration."""
    command = ["git", "rev-parse", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def organisation(
    tmp_path: Path, own_tool: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Organisation]:
    """An organisation with an empty registry and no app."""
    fly = install_flyctl(tmp_path)
    with oci_registry(credentials=FLY, scheme="Basic") as registry:
        own_tool.setenv("PATH", fly.environment["PATH"])
        own_tool.setenv("FLY_API_TOKEN", fly.token)
        own_tool.setenv("IMAGE_PREFIX", registry.prefix)
        yield Organisation(fly, registry, capsys)


@pytest.fixture
def live(organisation: Organisation, site: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Yield a function that serves an app on this machine instead of fly.dev; staging is already served."""
    with ExitStack() as stack:

        def show(name: str) -> str:
            url = stack.enter_context(serve(Proxy(site, organisation, lambda: organisation.live_digest(name))))
            monkeypatch.setenv("SMOKE_URL", url)
            return url

        show(STAGING)
        yield show
