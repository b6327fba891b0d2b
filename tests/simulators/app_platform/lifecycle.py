"""Moves deployments through their phases, from PENDING_BUILD to ACTIVE or another final phase."""

from dataclasses import dataclass
from datetime import datetime

from tests.simulators.app_platform.model import App, Deployment, Step
from tests.simulators.app_platform.registry import Registry
from tests.simulators.app_platform.runner import Outcome, Runner
from tests.simulators.app_platform.vault import Vault


@dataclass
class Lifecycle:
    registry: Registry
    runner: Runner
    vault: Vault

    def advance(self, app: App, deployment: Deployment, at: datetime) -> None:
        if deployment.phase == "PENDING_BUILD":
            self._supersede_older(app, deployment, at)
            deployment.plan()
            deployment.enter("BUILDING", at)
        elif deployment.phase == "BUILDING":
            self._pull(deployment, at)
        elif deployment.phase == "PENDING_DEPLOY":
            deployment.enter("DEPLOYING", at)
        elif deployment.phase == "DEPLOYING":
            self._deploy(app, deployment, at)

    def cancel(self, deployment: Deployment, at: datetime) -> None:
        self.runner.stop(deployment.id)
        deployment.enter("CANCELED", at)

    def activate(self, app: App, deployment: Deployment, at: datetime) -> None:
        """Make a deployment live; the previous one becomes SUPERSEDED."""
        previous, app.active = app.active, deployment
        if previous:
            previous.enter("SUPERSEDED", at)
            self.runner.stop(previous.id)
        deployment.enter("ACTIVE", at)
        deployment.was_active = True

    def _supersede_older(self, app: App, deployment: Deployment, at: datetime) -> None:
        for older in app.deployments[: app.deployments.index(deployment)]:
            if older.under_way:
                self.runner.stop(older.id)
                older.enter("SUPERSEDED", at)

    def _pull(self, deployment: Deployment, at: datetime) -> None:
        # A spec with a missing digest is accepted, but the deployment ends in ERROR.
        missing = self.registry.missing(deployment.spec)
        log = "\n".join(f"image not found: {image}" for image in missing)
        self._end_step(deployment, deployment.steps[0], Outcome(not missing, log), at)
        if not missing:
            deployment.enter("PENDING_DEPLOY", at)

    def _deploy(self, app: App, deployment: Deployment, at: datetime) -> None:
        """Run the PRE_DEPLOY jobs one after the other, then the rollout."""
        step = next(step for step in deployment.steps if step.status in ("PENDING", "RUNNING"))
        step.status = "RUNNING"
        spec = self.vault.decrypt(deployment.spec)
        if step.name == "pre_deploy":
            outcome = self.runner.pre_deploy(deployment.id, spec, step.component)
        else:
            outcome = self.runner.roll(deployment.id, spec)
        if outcome is None:
            return
        deployment.stepped_at = at
        self._end_step(deployment, step, outcome, at)
        if outcome.ok and step.name == "deploy":
            self.activate(app, deployment, at)

    def _end_step(self, deployment: Deployment, step: Step, outcome: Outcome, at: datetime) -> None:
        kind = "BUILD" if step.name == "build" else "DEPLOY"
        if outcome.log:
            deployment.logs[kind, step.component] = outcome.log
        if outcome.log and step.component:
            # It is unknown which log type has a job's output, so both have it.
            deployment.logs["RUN", step.component] = outcome.log
        step.status = "SUCCESS" if outcome.ok else "ERROR"
        if outcome.ok:
            return
        # The previous deployment stays active.
        step.reason = {"code": REASONS[step.name], "message": outcome.log or "the step failed"}
        self.runner.stop(deployment.id)
        deployment.enter("ERROR", at)


REASONS = {
    "build": "ImagePullFailed",
    "pre_deploy": "DeployJobFailed",
    "deploy": "DeployContainerHealthChecksFailed",
}
