"""The fixtures of both platforms."""

from tests.scripts.deploy.app_platform.conftest import account, runner
from tests.scripts.deploy.fly.conftest import head, live, organisation

__all__ = ["account", "head", "live", "organisation", "runner"]
