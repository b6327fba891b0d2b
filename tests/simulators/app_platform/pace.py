"""Decides when a deployment enters its next phase: at each poll, or by the test's clock. Nothing sleeps."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from tests.simulators.app_platform.model import Deployment


class Pace(Protocol):
    """Decides how fast deployments advance."""

    def now(self) -> datetime:
        """Return the platform's time."""

    def steps(self, deployment: Deployment) -> int:
        """Return how many steps the deployment advances now."""


class OnPolls:
    """One step for each request for the app or its deployments."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def steps(self, deployment: Deployment) -> int:
        return 1


class OnClock:
    """One step after each period of `seconds`; the test sets the clock."""

    def __init__(self, seconds: float = 10) -> None:
        self._seconds = seconds
        self._now = datetime.now(UTC)

    def now(self) -> datetime:
        return self._now

    def turn(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)

    def steps(self, deployment: Deployment) -> int:
        return int((self._now - deployment.stepped_at).total_seconds() / self._seconds)
