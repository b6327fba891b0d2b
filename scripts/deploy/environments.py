"""The environments, staging and production: their configuration files, and the tags their releases need and get."""

from dataclasses import dataclass
from pathlib import Path

from scripts.deploy.system import ROOT


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment, on either platform."""

    name: str
    # The kind of tag a release needs to be deployed here, and the one it gets when it passed its smoke test here.
    required_tag: str
    passed_tag: str
    # Whether the user has to confirm a change.
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
