"""The environments staging and production: their configuration files and the tags of their releases."""

from dataclasses import dataclass
from pathlib import Path

from scripts.deploy.system import ROOT


@dataclass(frozen=True, slots=True)
class Environment:
    name: str
    # The kind of tag that a release must have here, and the one it gets after its smoke test here.
    required_tag: str
    passed_tag: str
    # Whether the user must confirm changes.
    needs_confirmation: bool

    @property
    def spec(self) -> Path:
        return ROOT / ".do" / f"app.{self.name}.yaml"

    @property
    def fly_config(self) -> str:
        return "fly.toml" if self.name == "production" else f"fly.{self.name}.toml"


STAGING = Environment("staging", required_tag="sha", passed_tag="tested", needs_confirmation=False)
PRODUCTION = Environment("production", required_tag="tested", passed_tag="production", needs_confirmation=True)
ENVIRONMENTS = {environment.name: environment for environment in (STAGING, PRODUCTION)}
