"""A simulated DigitalOcean account for each test; its apps serve the real site."""

from collections.abc import Iterator

import pytest

from tests.scripts.deploy.app_platform.account import Account, live_digest
from tests.scripts.deploy.site import Proxy
from tests.servers import ROOT
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.app_platform.server import app_platform
from tests.simulators.registry.server import DIGITALOCEAN, oci_registry
from tests.simulators.serving import serve


@pytest.fixture
def runner() -> ScriptedRunner:
    return ScriptedRunner()


@pytest.fixture
def account(
    runner: ScriptedRunner, site: str, own_tool: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Account]:
    """An account with an empty registry and no app."""
    with app_platform(runner) as platform:
        enter = platform.stack.enter_context
        platform.cloud.site = lambda app: enter(serve(Proxy(site, runner, lambda: live_digest(app))))
        with oci_registry(platform.cloud.registry, namespace="slipway", credentials=DIGITALOCEAN) as registry:
            own_tool.setenv("DIGITALOCEAN_ACCESS_TOKEN", platform.token)
            own_tool.setenv("DIGITALOCEAN_API_URL", platform.url)
            own_tool.setenv("IMAGE_PREFIX", registry.prefix)
            own_tool.setenv("PYTHONPATH", str(ROOT))
            yield Account(platform, registry, runner, capsys)
        assert not [seen for seen in platform.http.seen if platform.token in f"{seen.path} {seen.query}"]
