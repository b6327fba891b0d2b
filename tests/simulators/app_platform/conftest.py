"""The simulator with one running app."""

from collections.abc import Iterator

import pytest

from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.runner import ScriptedRunner
from tests.simulators.app_platform.server import Simulator, app_platform
from tests.simulators.app_platform.tool import NEW, OLD, Tool, make_spec, secret


@pytest.fixture
def runner() -> ScriptedRunner:
    return ScriptedRunner(git_shas={OLD: "old", NEW: "new"})


@pytest.fixture
def platform(runner: ScriptedRunner) -> Iterator[Simulator]:
    with app_platform(runner) as platform:
        platform.cloud.registry.push("app", OLD, "sha-old", "tested-old")
        platform.cloud.registry.push("app", NEW, "sha-new")
        yield platform


@pytest.fixture
def app(platform: Simulator) -> App:
    return platform.add_app(make_spec(OLD, secret("first")))


@pytest.fixture
def tool(platform: Simulator, app: App) -> Tool:
    return Tool(platform, app)
