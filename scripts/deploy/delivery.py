"""Deploys a plan and tests the site; if that fails, restores the last good release."""

import time
from typing import NoReturn

from scripts.deploy.environments import Environment
from scripts.deploy.errors import DeployError, ExternalError, NeedsAttention, Refused, ReleaseFailed
from scripts.deploy.platform import Deployment, Plan, Platform, State
from scripts.deploy.registry import Registry
from scripts.deploy.releases import SHORT, commit_of_images, passed_smoke_test
from scripts.deploy.report import Report
from scripts.deploy.smoke import smoke
from scripts.deploy.system import System

ROLLBACK_SECONDS = 300


class Delivery:
    def __init__(
        self, system: System, report: Report, environment: Environment, platform: Platform, registry: Registry
    ) -> None:
        self.system = system
        self.report = report
        self.environment = environment
        self.platform = platform
        self.registry = registry
        # Whether anything was changed on the platform: a later error then needs attention.
        self.changed = False

    def deploy(self, plan: Plan, git_sha: str, planned: State | None = None) -> None:
        """Deploy a plan and test the site. Raises DeployError, which says whether the last good release is live.

        `planned` is the state the plan was made for. Others may deploy while the user confirms. The plan replaces the
        whole spec, so it would undo their changes.
        """
        state = self.platform.find_state() or State("")
        self._refuse_concurrent_changes(state, planned)
        if state.active and not state.in_progress and state.active.images == plan.images and not plan.changes:
            self.report.say("This release is already live: only its smoke test is run")
            before = None
        else:
            before = state.active
            self._roll_out(plan, state)
        self.changed = True
        problem = self._smoke(git_sha)
        if problem:
            self._restore(f"The smoke test failed:\n{problem}", before)

    def _refuse_concurrent_changes(self, state: State, planned: State | None) -> None:
        known = {one.id for one in (planned.active, planned.in_progress) if one} if planned else set()
        # Without a planned state, only a deployment in progress is a conflict.
        current = (state.active, state.in_progress) if planned else (state.in_progress,)
        new = [one.id for one in current if one and one.id not in known]
        if new:
            hint = "Run the same command again to continue"
            raise Refused(f"{self.platform.app} was deployed by someone else in the meantime, {new[-1]}. {hint}")

    def _roll_out(self, plan: Plan, state: State) -> None:
        try:
            with self.report.phase("deploy"):
                if state.in_progress:
                    self.report.say(f"  following deployment {state.in_progress.id}, in progress with these images")
                self.changed = True
                deployment = state.in_progress.id if state.in_progress else self._start(plan)
                self.report.facts["deployment"] = deployment
                self.platform.wait_until_active(deployment, self.platform.deploy_seconds)
        except ReleaseFailed as error:
            self._explain_failure(error, state.active)

    def _start(self, plan: Plan) -> str:
        try:
            return self.platform.deploy(plan)
        except Refused:
            self.changed = False
            raise

    def _explain_failure(self, error: ReleaseFailed, before: Deployment | None) -> NoReturn:
        """Raise an error with the live release; if the failed deployment replaced it, restore it first."""
        active = self._get_state().active
        if (active and active.images) != (before and before.images):
            self._restore(str(error), before, error.log)
        if active is None:
            raise NeedsAttention(f"{error}; nothing is live, and nothing was live before", error.log) from None
        if not all(active.images.values()):
            raise NeedsAttention(
                f"{error}; the live components run images of different releases. See: make status"
            ) from None
        raise ReleaseFailed(f"{error}; {self._describe(active)} is still live", error.log) from None

    def _smoke(self, git_sha: str) -> str:
        state = self._get_state()
        self.report.facts["url"] = state.url
        with self.report.phase("smoke") as phase:
            problem = smoke(self.system, self.report, state.url, git_sha)
            phase.status = "failed" if problem else "ok"
        return problem

    def _restore(self, problem: str, before: Deployment | None, log: str = "") -> NoReturn:
        self.report.say(problem)
        log = log or self._log()
        target = self._restore_target(before)
        if target is None:
            hint = "There is no earlier release to roll back to. Fix the deployment by hand."
            raise NeedsAttention(f"{problem}\n{hint}", log)
        self.roll_back(target, self._commit(target), problem, log)
        raise ReleaseFailed(f"{problem}\n{self._describe(target)} is live again and healthy", log)

    def _restore_target(self, before: Deployment | None) -> Deployment | None:
        """Return the previous deployment if it passed its smoke test, else the newest that did, else the previous."""
        active = self._get_state().active
        if before and active and before.images == active.images:
            # Only variables changed, so an older release is no better.
            return before
        try:
            if before and passed_smoke_test(self.registry, before.images, self.environment.passed_tag):
                return before
            return self.find_last_good() or before
        except ExternalError as error:
            self.report.say(f"  {error}: it is unknown which releases passed their smoke test")
            return before

    def roll_back(self, target: Deployment, git_sha: str, reason: str = "", log: str = "") -> None:
        """Deploy an earlier deployment again and test the site. Raises NeedsAttention when it is unhealthy."""
        started = self.system.clock()
        self.changed = True
        try:
            with self.report.phase("rollback"):
                until = time.strftime("%H:%M:%S", time.localtime(time.time() + ROLLBACK_SECONDS))
                self.report.say(f"  to {self._describe(target)}, until {until} at the latest")
                self.report.facts["deployment"] = self.platform.roll_back(target, git_sha, ROLLBACK_SECONDS)
            problem = self._smoke(git_sha)
        except DeployError as error:
            problem, log = f"The rollback failed: {error}", error.log or log
        if problem:
            raise NeedsAttention(f"{reason}\n{self._describe(target)} is unhealthy too:\n{problem}".strip(), log)
        self.report.say(f"  rolled back in {self.system.clock() - started:.0f} s of at most {ROLLBACK_SECONDS} s")

    def cancel(self, deployment: str) -> None:
        """Cancel a deployment in progress. Raises DeployError."""
        self.changed = True
        try:
            self.platform.cancel(deployment)
        except Refused:
            self.changed = False
            raise

    def verify(self, git_sha: str) -> None:
        """Test the live release. Raises NeedsAttention when it is unhealthy."""
        problem = self._smoke(git_sha)
        if problem:
            raise NeedsAttention(f"{git_sha[:SHORT]} is live and unhealthy:\n{problem}")

    def find_last_good(self) -> Deployment | None:
        """Return the newest deployment older than the running release that passed its smoke test here.

        Deployments since the running release was first live are skipped: they were rolled back.
        """
        active, history = self._get_state().active, self.platform.history()
        same = [index for index, one in enumerate(history) if active and one.images == active.images]
        for deployment in history[same[-1] + 1 if same else 0 :]:
            if passed_smoke_test(self.registry, deployment.images, self.environment.passed_tag):
                return deployment
        return None

    def _describe(self, deployment: Deployment) -> str:
        return f"{self._commit(deployment)[:SHORT] or 'a release of an unknown commit'} ({deployment.id})"

    def _commit(self, deployment: Deployment) -> str:
        """Return the commit, or "" when the registry is unavailable: that must not prevent a rollback."""
        try:
            return commit_of_images(self.registry, deployment.images)
        except ExternalError:
            return ""

    def _get_state(self) -> State:
        state = self.platform.find_state()
        if state is None:
            raise NeedsAttention("The app existed and is now missing. See: make status")
        return state

    def _log(self) -> str:
        try:
            return self.platform.logs("")
        except DeployError:
            return ""
