"""The environments: what differs between staging and production, and what a release needs to get there.

The values stand in each one's spec; that they differ in these places alone is tested.
"""

from dataclasses import dataclass
from pathlib import Path

from scripts.deploy.system import ROOT


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment, on either platform."""

    name: str
    # The tag, without its commit, that a release must carry, and the one it gets when its smoke test passed.
    required_tag: str
    passed_tag: str
    # Whether a person is asked before anything changes.
    asks_first: bool

    @property
    def spec(self) -> Path:
        """The app spec for App Platform."""
        return ROOT / ".do" / f"app.{self.name}.yaml"

    @property
    def fly_config(self) -> str:
        """The Fly configuration's path inside the repository."""
        return "fly.toml" if self.name == "production" else f"fly.{self.name}.toml"


STAGING = Environment("staging", required_tag="sha", passed_tag="tested", asks_first=False)
PRODUCTION = Environment("production", required_tag="tested", passed_tag="production", asks_first=True)
ENVIRONMENTS = {environment.name: environment for environment in (STAGING, PRODUCTION)}

APP_PLATFORM_DIFFERENCES = {
    "/name",
    "/alerts/AUTOSCALE_FAILED/rule",
    "/databases/db/cluster_name",
    "/databases/valkey/cluster_name",
    "/envs/ENVIRONMENT/value",
    "/services/api/instance_size_slug",
    "/services/api/instance_count",
    "/services/api/autoscaling/min_instance_count",
    "/services/api/autoscaling/max_instance_count",
    "/services/api/autoscaling/metrics/cpu/percent",
    "/services/web/instance_size_slug",
    "/services/web/instance_count",
}
FLY_DIFFERENCES = {"/app", "/env/ENVIRONMENT", "/env/PUBLIC_URL"}
