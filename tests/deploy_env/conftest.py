"""The accounts of both platforms, as their own tests have them."""

from tests.deploy.conftest import account, runner, site
from tests.deploy_fly.conftest import head, live, organisation

__all__ = ["account", "head", "live", "organisation", "runner", "site"]
