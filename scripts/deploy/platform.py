"""What the commands ask of a hosting platform; App Platform and Fly each have a module that answers."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from scripts.deploy.registry import Registry
from scripts.deploy.variables import DeclaredVariables


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment: `images` is repository to digest, or to a tag where the platform remembers no digest."""

    id: str
    images: dict[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """An app now: `active` has the traffic, `in_progress` is being deployed; `pinned` apps take no deployment."""

    url: str
    active: Deployment | None = None
    in_progress: Deployment | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """A deployment to come: what it changes, a line each, and what the platform is sent."""

    images: dict[str, str]
    changes: list[str]
    payload: dict[str, Any] = field(repr=False)


class Platform(Protocol):
    """One app on one platform. Methods raise ExternalError when the platform can't be asked."""

    # The app's name.
    app: str
    # The images it runs, such as `app`, and how long a deployment may take, in seconds.
    images: tuple[str, ...]
    deploy_seconds: float

    def registry(self) -> Registry:
        """Return where the images are, with what logs in there."""

    def repository(self, image: str) -> str:
        """Return an image's repository, below the registry's prefix."""

    def find_state(self) -> State | None:
        """Return how the app is now; None when there is no such app."""

    def history(self) -> list[Deployment]:
        """Return the deployments that once had the traffic and can be gone back to, newest first."""

    def plan(self, release: Mapping[str, str], git_sha: str, given: Mapping[str, str]) -> Plan:
        """Return the deployment of a release, repository to digest, with values for variables the file leaves open.

        Raises Refused when the platform would not take it.
        """

    def plan_variables(self, given: Mapping[str, str], secret: Collection[str], pruned: Collection[str]) -> Plan:
        """Return a deployment that sets variables, of which some are secret, and removes the pruned ones."""

    def deploy(self, plan: Plan) -> str:
        """Begin the deployment, once, and return its id. Raises Refused, or NeedsAttention."""

    def wait_until_active(self, deployment: str, seconds: float) -> None:
        """Wait until the deployment is active. Raises ReleaseFailed with the failed steps' logs, or NeedsAttention."""

    def cancel(self, deployment: str) -> None:
        """End a deployment that is under way; what served before it goes on."""

    def roll_back(self, target: Deployment, git_sha: str, seconds: float) -> str:
        """Bring an earlier deployment back and return the id of the new one. Raises ReleaseFailed or NeedsAttention."""

    def logs(self, component: str, deployment: str = "") -> str:
        """Return the last lines of a component, or of all for ""."""

    def declared_variables(self) -> DeclaredVariables:
        """Return the variables that the platform's file in git names."""

    def current_values(self) -> dict[str, str | None]:
        """Return the variables the platform holds; None for a value that can't be read."""
