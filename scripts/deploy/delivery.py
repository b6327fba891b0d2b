"""Brings a deployment to its end: until its smoke test passed, or the last good release is back."""

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
    """One deployment of one command, and the way back from it."""

    def __init__(
        self, system: System, report: Report, environment: Environment, platform: Platform, registry: Registry
    ) -> None:
        self.system = system
        self.report = report
        self.environment = environment
        self.platform = platform
        self.registry = registry
        # Whether something was changed on the platform: an error after it is never a mere refusal.
        self.changed = False

    def deploy(self, plan: Plan, git_sha: str, planned: State | None = None) -> None:
        """Deploy a plan and try the site. Raises DeployError; by then the last good release is back, or it says not.

        `planned` is the state the plan was made for. A person who is asked may take long: what others did meanwhile
        would be undone by the spec, which is sent as a whole.
        """
        state = self.platform.find_state() or State("")
        self._refuse_concurrent_changes(state, planned)
        if state.active and not state.in_progress and state.active.images == plan.images and not plan.changes:
            self.report.say("This very release has the traffic already: only its smoke test is run")
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
        # Without a state of the plan, nothing may be under way.
        now = (state.active, state.in_progress) if planned else (state.in_progress,)
        began = [one.id for one in now if one and one.id not in known]
        if began:
            hint = "The same command again goes on from there"
            raise Refused(f"{self.platform.app} was deployed by somebody else meanwhile, {began[-1]}. {hint}")

    def _roll_out(self, plan: Plan, state: State) -> None:
        try:
            with self.report.phase("deploy"):
                if state.in_progress:
                    self.report.say(f"  taking up deployment {state.in_progress.id}, under way with these images")
                self.changed = True
                deployment = state.in_progress.id if state.in_progress else self._start(plan)
                self.report.facts["deployment"] = deployment
                self.platform.wait_until_active(deployment, self.platform.deploy_seconds)
        except ReleaseFailed as error:
            now = self._state().active
            if (now and now.images) != (state.active and state.active.images):
                self._restore(str(error), state.active, error.log)
            if now is None:
                raise NeedsAttention(
                    f"{error}; nothing has the traffic, and nothing had it before", error.log
                ) from None
            if not all(now.images.values()):
                raise NeedsAttention(
                    f"{error}; what has the traffic is not one known release. See: make status"
                ) from None
            raise ReleaseFailed(f"{error}; {self._named(now)} still has the traffic", error.log) from None

    def _start(self, plan: Plan) -> str:
        try:
            return self.platform.deploy(plan)
        except Refused:
            self.changed = False
            raise

    def _smoke(self, git_sha: str) -> str:
        state = self._state()
        self.report.facts["url"] = state.url
        with self.report.phase("smoke") as phase:
            problem = smoke(self.system, self.report, state.url, git_sha)
            phase.status = "failed" if problem else "ok"
        return problem

    def _restore(self, problem: str, before: Deployment | None, log: str = "") -> NoReturn:
        """Put the last good release back, and raise what happened."""
        self.report.say(problem)
        log = log or self._log()
        target = self._restore_target(before)
        if target is None:
            raise NeedsAttention(
                f"{problem}\nThere is no earlier release to go back to: a first one needs a person", log
            )
        self.roll_back(target, self._commit(target), problem, log)
        raise ReleaseFailed(f"{problem}\n{self._named(target)} is back and well", log)

    def _restore_target(self, before: Deployment | None) -> Deployment | None:
        """Return what had the traffic before when it was proven, else the newest that was, else what was before."""
        active = self._state().active
        if before and active and before.images == active.images:
            # Only variables changed: nothing older is better.
            return before
        try:
            if before and passed_smoke_test(self.registry, before.images, self.environment.passed_tag):
                return before
            return self.find_last_good() or before
        except ExternalError as error:
            self.report.say(f"  {error}: nothing tells what was proven")
            return before

    def roll_back(self, target: Deployment, git_sha: str, why: str = "", log: str = "") -> None:
        """Bring an earlier deployment back and try it. Raises NeedsAttention when it is not well."""
        started = self.system.clock()
        self.changed = True
        try:
            with self.report.phase("rollback"):
                until = time.strftime("%H:%M:%S", time.localtime(time.time() + ROLLBACK_SECONDS))
                self.report.say(f"  to {self._named(target)}, until {until} at the latest")
                self.report.facts["deployment"] = self.platform.roll_back(target, git_sha, ROLLBACK_SECONDS)
            problem = self._smoke(git_sha)
        except DeployError as error:
            problem, log = f"Going back failed: {error}", error.log or log
        if problem:
            raise NeedsAttention(f"{why}\n{self._named(target)} is not well either:\n{problem}".strip(), log)
        self.report.say(f"  back after {self.system.clock() - started:.0f} s of the {ROLLBACK_SECONDS} s it may take")

    def cancel(self, deployment: str) -> None:
        """End a deployment that is under way. Raises DeployError."""
        self.changed = True
        try:
            self.platform.cancel(deployment)
        except Refused:
            self.changed = False
            raise

    def verify(self, git_sha: str) -> None:
        """Try what has the traffic. Raises NeedsAttention when it is not well."""
        problem = self._smoke(git_sha)
        if problem:
            raise NeedsAttention(f"{git_sha[:SHORT]} has the traffic, and is not well:\n{problem}")

    def find_last_good(self) -> Deployment | None:
        """Return the newest deployment from before the running release reached_active whose smoke test passed here.

        What ran between its first day and now was gone back from, so that is not looked at.
        """
        active, history = self._state().active, self.platform.history()
        mine = [place for place, one in enumerate(history) if active and one.images == active.images]
        for deployment in history[mine[-1] + 1 if mine else 0 :]:
            if passed_smoke_test(self.registry, deployment.images, self.environment.passed_tag):
                return deployment
        return None

    def _named(self, deployment: Deployment) -> str:
        return f"{self._commit(deployment)[:SHORT] or 'a release without a name'} ({deployment.id})"

    def _commit(self, deployment: Deployment) -> str:
        """Return the commit of a deployment, "" when the registry does not tell: nobody waits for it to go back."""
        try:
            return commit_of_images(self.registry, deployment.images)
        except ExternalError:
            return ""

    def _state(self) -> State:
        state = self.platform.find_state()
        if state is None:
            raise NeedsAttention("The app was there, and is no more. See: make status")
        return state

    def _log(self) -> str:
        try:
            return self.platform.logs("")
        except DeployError:
            return ""
