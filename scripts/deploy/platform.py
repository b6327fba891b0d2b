"""The interface of a hosting platform; App Platform and Fly.io implement it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from scripts.deploy.registry import Registry
from scripts.deploy.variables import DeclaredVariables


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: `images` maps repository to digest, "" where the digest is unknown."""

    id: str
    images: dict[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """The current state of an app: `active` is live; a `pinned` app accepts no deployment."""

    url: str
    active: Deployment | None = None
    in_progress: Deployment | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned deployment: one line for each change, and the payload for the platform."""

    images: dict[str, str]
    changes: list[str]
    payload: dict[str, Any] = field(repr=False)


class Platform(Protocol):
    """One app on one platform. Methods raise ExternalError when the platform is unavailable."""

    app: str
    # Names such as `app` and `web`.
    images: tuple[str, ...]
    # How long a deployment may take.
    deploy_seconds: float

    def registry(self) -> Registry:
        """Return the registry of the images, with its login."""

    def repository(self, image: str) -> str:
        """Return an image's repository, below the registry's prefix."""

    def find_state(self) -> State | None:
        """Return the app's current state, or None when there is no such app."""

    def history(self) -> list[Deployment]:
        """Return the deployments that were live and can be rolled back to, newest first."""

    def plan(self, release: Mapping[str, str], git_sha: str, given: Mapping[str, str]) -> Plan:
        """Plan a release (repository to digest); `given` has values for variables that have none in the file.

        Raises Refused when the platform would reject it.
        """

    def plan_variables(self, given: Mapping[str, str], secret: Collection[str], pruned: Collection[str]) -> Plan:
        """Plan to set the given variables, some of them secret, and to remove the pruned ones."""

    def deploy(self, plan: Plan) -> str:
        """Start the deployment, once, and return its id. Raises Refused or NeedsAttention."""

    def wait_until_active(self, deployment: str, seconds: float) -> None:
        """Wait until the deployment is live. Raises ReleaseFailed with the failed steps' logs, or NeedsAttention."""

    def cancel(self, deployment: str) -> None:
        """Cancel a deployment in progress; the live one stays."""

    def roll_back(self, target: Deployment, git_sha: str, seconds: float) -> str:
        """Deploy an earlier deployment again and return the new one's id. Raises ReleaseFailed or NeedsAttention."""

    def logs(self, component: str, deployment: str = "") -> str:
        """Return the last lines of a component; "" means all."""

    def declared_variables(self) -> DeclaredVariables:
        """Return the variables that the platform's file in git names."""

    def current_values(self) -> dict[str, str | None]:
        """Return the app's variables; None for a value that can't be read."""
