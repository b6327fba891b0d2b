"""When a deployment goes on to its next phase: at each poll, or by a clock the test turns. Nothing sleeps."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from tests.simulators.app_platform.model import Deployment


class Pace(Protocol):
    """Tells whether a deployment's phase has lasted long enough."""

    def now(self) -> datetime:
        """Return the platform's time."""

    def steps(self, deployment: Deployment) -> int:
        """Return how many steps the deployment goes on now."""


class OnPolls:
    """One step each time the API is asked for the app or its deployments."""

    def now(self) -> datetime:
        """Return the real time."""
        return datetime.now(UTC)

    def steps(self, deployment: Deployment) -> int:
        """Return one."""
        return 1


class OnClock:
    """One step each time so many seconds have passed; the test turns the clock."""

    def __init__(self, seconds: float = 10) -> None:
        self._seconds = seconds
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        """Return the time the clock was turned to."""
        return self._now

    def turn(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)

    def steps(self, deployment: Deployment) -> int:
        """Return how many phases fit into the time since the last."""
        return int((self._now - deployment.stepped_at).total_seconds() / self._seconds)
