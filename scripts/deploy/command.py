"""The context of a command, and the checks before a deployment."""

from dataclasses import dataclass, field

from scripts.deploy import migrations
from scripts.deploy.delivery import Delivery
from scripts.deploy.environments import Environment
from scripts.deploy.errors import Refused
from scripts.deploy.platform import Plan, Platform, State
from scripts.deploy.registry import Registry
from scripts.deploy.releases import SCHEMA, Release
from scripts.deploy.report import Report
from scripts.deploy.smoke import check_variables
from scripts.deploy.system import System

# Characters of a digest that are shown: "sha256:" and twelve more.
SHOWN = 19


@dataclass(slots=True)
class Command:
    """One run of the tool; `given` are values for variables that the file in git leaves open."""

    system: System
    report: Report
    environment: Environment
    platform: Platform
    given: dict[str, str]
    dry_run: bool
    yes: bool
    registry: Registry = field(init=False)
    delivery: Delivery = field(init=False)

    def __post_init__(self) -> None:
        check_variables()
        self.registry = self.platform.registry()
        self.report.facts["registry"] = self.registry.prefix
        self.delivery = Delivery(self.system, self.report, self.environment, self.platform, self.registry)

    @property
    def repositories(self) -> dict[str, str]:
        return {image: self.platform.repository(image) for image in self.platform.images}

    def confirm(self, what: str) -> None:
        """Let the user confirm, if the environment requires it. Raises Refused."""
        if not self.environment.needs_confirmation or self.yes:
            return
        typed = self.system.prompt(f"{what}? Type {self.platform.app} to continue:")
        if typed != self.platform.app:
            raise Refused("Not confirmed. Type the app's name, or set YES=1 where there is no terminal")


def find_deployable_state(command: Command, *, while_deploying: bool = False) -> State | None:
    """Return the app's state, or None when there is no app yet. Raises Refused when it accepts no deployment."""
    state = command.platform.find_state()
    if state and state.pinned:
        hint = "commit or revert it in the control panel, Activity"
        raise Refused(f"{command.platform.app} is pinned to a rollback and accepts no deployment: {hint}")
    if state and state.in_progress and not while_deploying:
        command.report.say(f"  deployment {state.in_progress.id} is in progress")
    return state


def require_app(command: Command, state: State | None) -> State:
    if state is None:
        raise Refused(f"There is no app {command.platform.app}: its first deployment creates it")
    return state


def make_plan(command: Command, release: Release, state: State | None) -> Plan:
    """Return the deployment of a release and show what it changes. Raises Refused."""
    if state and state.in_progress and state.in_progress.images != release.images:
        hint = f"wait for it, or cancel it: make rollback ENV={command.environment.name}"
        raise Refused(f"{command.platform.app} is deploying another release, {state.in_progress.id}: {hint}")
    with command.report.phase("plan"):
        plan = command.platform.plan(release.images, release.git_sha, command.given)
        command.report.facts["release"] = {"git_sha": release.git_sha, "images": plan.images}
        for line in _differences(command, release, plan, state):
            command.report.say(f"  {line}")
    return plan


def _differences(command: Command, release: Release, plan: Plan, state: State | None) -> list[str]:
    active = state.active.images if state and state.active else {}
    lines = [
        f"image {name}: {active.get(name, '')[:SHOWN] or 'none'} → {digest[:SHOWN]}"
        for name, digest in plan.images.items()
    ]
    repository = next(iter(release.images))
    before = ""
    if active.get(repository):
        try:
            labels = command.registry.labels(repository, active[repository])
        except Refused:
            labels = {}
        before = labels.get(SCHEMA, "")
    migrating = migrations.between(before, release.schema) or ["none"]
    lines += [f"migrations: {name}" for name in migrating]
    return lines + [f"spec {change}" for change in plan.changes if ".image.digest" not in change]
