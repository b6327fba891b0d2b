"""Apps and deployments, and their documents in the API."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from tests.simulators.app_platform.spec import Spec, components, jobs_of_kind

STARTING = ("PENDING_BUILD",)
RUNNING = ("BUILDING", "PENDING_DEPLOY", "DEPLOYING")


@dataclass
class Step:
    name: str
    component: str = ""
    status: str = "PENDING"
    reason: dict[str, str] | None = None

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"name": self.name, "status": self.status}
        if self.component:
            shown["component_name"] = self.component
        return shown | ({"reason": self.reason} if self.reason else {})


@dataclass
class Deployment:
    spec: Spec
    cause: str
    created_at: datetime
    kind: str = "MANUAL"
    cloned_from: str | None = None
    id: str = field(default_factory=lambda: str(uuid4()))
    phase: str = "PENDING_BUILD"
    entered_at: datetime = field(init=False)
    stepped_at: datetime = field(init=False)
    was_active: bool = False
    steps: list[Step] = field(default_factory=list)
    # (log type, component) → text
    logs: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entered_at = self.stepped_at = self.created_at

    @property
    def under_way(self) -> bool:
        """Whether the phase is not a final one."""
        return self.phase in (*STARTING, *RUNNING)

    def enter(self, phase: str, at: datetime) -> None:
        self.phase, self.entered_at, self.stepped_at = phase, at, at

    def plan(self) -> None:
        """Create the steps. A deployment starts without any, and `doctl --wait` mistakes 0 of 0 for success."""
        jobs = [Step("pre_deploy", job) for job in jobs_of_kind(self.spec, "PRE_DEPLOY")]
        self.steps = [Step("build"), *jobs, Step("deploy")]

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.id,
            "spec": self.spec,
            "phase": self.phase,
            "cause": self.cause,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.entered_at),
            "phase_last_updated_at": stamp(self.entered_at),
            "progress": self._progress(),
            "tier_slug": "basic",
        }
        for kind, component in components(self.spec):
            shown.setdefault(kind, []).append({"name": component["name"]})
        return shown | ({"cloned_from": self.cloned_from} if self.cloned_from else {})

    def _progress(self) -> dict[str, Any]:
        counts = {
            f"{status.lower()}_steps": sum(step.status == status for step in self.steps)
            for status in ("PENDING", "RUNNING", "SUCCESS", "ERROR")
        }
        return {"steps": [step.shown() for step in self.steps], "total_steps": len(self.steps), **counts}


@dataclass
class App:
    """One app; its deployments are ordered from the oldest to the newest."""

    spec: Spec
    created_at: datetime
    live_url: str = ""
    id: str = field(default_factory=lambda: str(uuid4()))
    deployments: list[Deployment] = field(default_factory=list)
    active: Deployment | None = None
    pinned: Deployment | None = None
    # The spec before a rollback; revert deploys it.
    spec_before_rollback: Spec | None = None

    def newest(self, wanted: Callable[[Deployment], bool]) -> Deployment | None:
        return next((deployment for deployment in reversed(self.deployments) if wanted(deployment)), None)

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.id,
            "spec": self.spec,
            "created_at": stamp(self.created_at),
            "updated_at": stamp(self.deployments[-1].created_at if self.deployments else self.created_at),
            "region": {"slug": self.spec.get("region", "ams")},
            "tier_slug": "basic",
        }
        if self.live_url and self.active:
            shown |= {"live_url": self.live_url, "live_url_base": self.live_url, "default_ingress": self.live_url}
        if self.deployments:
            shown["last_deployment_created_at"] = stamp(self.deployments[-1].created_at)
        named = {
            "active_deployment": self.active,
            "pinned_deployment": self.pinned,
            "pending_deployment": self.newest(lambda deployment: deployment.phase in STARTING),
            "in_progress_deployment": self.newest(lambda deployment: deployment.phase in RUNNING),
        }
        return shown | {name: deployment.shown() for name, deployment in named.items() if deployment}


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
