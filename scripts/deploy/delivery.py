"""Brings a deployment to its end: until its smoke test passed, or the last good release is back."""

import time
from typing import NoReturn

from scripts.deploy.environments import Environment
from scripts.deploy.errors import DeployError, OutsideError, Refused, ReleaseFailed, Unsure
from scripts.deploy.outside import Outside
from scripts.deploy.platform import Deployment, Plan, Platform, State
from scripts.deploy.registry import Registry
from scripts.deploy.releases import SHORT, commit_of_images, is_proven
from scripts.deploy.report import Report
from scripts.deploy.smoke_run import smoke

ROLLBACK_SECONDS = 300


class Delivery:
    """One deployment of one command, and the way back from it."""

    def __init__(
        self, outside: Outside, report: Report, environment: Environment, platform: Platform, registry: Registry
    ) -> None:
        self.outside = outside
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
        state = self.platform.look() or State("")
        self._refuse_others(state, planned)
        if state.active and not state.under_way and state.active.images == plan.images and not plan.changes:
            self.report.say("This very release has the traffic already: only its smoke test is run")
            before = None
        else:
            before = state.active
            self._roll_out(plan, state)
        self.changed = True
        trouble = self._smoke(git_sha)
        if trouble:
            self._put_back(f"The smoke test failed:\n{trouble}", before)

    def _refuse_others(self, state: State, planned: State | None) -> None:
        known = {one.id for one in (planned.active, planned.under_way) if one} if planned else set()
        # Without a state of the plan, nothing may be under way.
        now = (state.active, state.under_way) if planned else (state.under_way,)
        began = [one.id for one in now if one and one.id not in known]
        if began:
            hint = "The same command again goes on from there"
            raise Refused(f"{self.platform.app} was deployed by somebody else meanwhile, {began[-1]}. {hint}")

    def _roll_out(self, plan: Plan, state: State) -> None:
        try:
            with self.report.phase("deploy"):
                if state.under_way:
                    self.report.say(f"  taking up deployment {state.under_way.id}, under way with these images")
                self.changed = True
                deployment = state.under_way.id if state.under_way else self._begin(plan)
                self.report.facts["deployment"] = deployment
                self.platform.follow(deployment, self.platform.deploy_seconds)
        except ReleaseFailed as error:
            now = self._state().active
            if (now and now.images) != (state.active and state.active.images):
                self._put_back(str(error), state.active, error.log)
            if now is None:
                raise Unsure(f"{error}; nothing has the traffic, and nothing had it before", error.log) from None
            if not all(now.images.values()):
                raise Unsure(f"{error}; what has the traffic is not one known release. See: make status") from None
            raise ReleaseFailed(f"{error}; {self._named(now)} still has the traffic", error.log) from None

    def _begin(self, plan: Plan) -> str:
        try:
            return self.platform.deploy(plan)
        except Refused:
            self.changed = False
            raise

    def _smoke(self, git_sha: str) -> str:
        state = self._state()
        self.report.facts["url"] = state.url
        with self.report.phase("smoke") as phase:
            trouble = smoke(self.outside, self.report, state.url, git_sha)
            phase.status = "failed" if trouble else "ok"
        return trouble

    def _put_back(self, trouble: str, before: Deployment | None, log: str = "") -> NoReturn:
        """Put the last good release back, and raise what happened."""
        self.report.say(trouble)
        log = log or self._log()
        target = self._best(before)
        if target is None:
            raise Unsure(f"{trouble}\nThere is no earlier release to go back to: a first one needs a person", log)
        self.go_back(target, self._commit(target), trouble, log)
        raise ReleaseFailed(f"{trouble}\n{self._named(target)} is back and well", log)

    def _best(self, before: Deployment | None) -> Deployment | None:
        """Return what had the traffic before when it was proven, else the newest that was, else what was before."""
        active = self._state().active
        if before and active and before.images == active.images:
            # Only variables changed: nothing older is better.
            return before
        try:
            if before and is_proven(self.registry, before.images, self.environment.gives):
                return before
            return self.last_good() or before
        except OutsideError as error:
            self.report.say(f"  {error}: nothing tells what was proven")
            return before

    def go_back(self, target: Deployment, git_sha: str, why: str = "", log: str = "") -> None:
        """Bring an earlier deployment back and try it. Raises Unsure when it is not well."""
        started = self.outside.clock()
        self.changed = True
        try:
            with self.report.phase("rollback"):
                until = time.strftime("%H:%M:%S", time.localtime(time.time() + ROLLBACK_SECONDS))
                self.report.say(f"  to {self._named(target)}, until {until} at the latest")
                self.report.facts["deployment"] = self.platform.roll_back(target, git_sha, ROLLBACK_SECONDS)
            trouble = self._smoke(git_sha)
        except DeployError as error:
            trouble, log = f"Going back failed: {error}", error.log or log
        if trouble:
            raise Unsure(f"{why}\n{self._named(target)} is not well either:\n{trouble}".strip(), log)
        self.report.say(f"  back after {self.outside.clock() - started:.0f} s of the {ROLLBACK_SECONDS} s it may take")

    def cancel(self, deployment: str) -> None:
        """End a deployment that is under way. Raises DeployError."""
        self.changed = True
        try:
            self.platform.cancel(deployment)
        except Refused:
            self.changed = False
            raise

    def prove(self, git_sha: str) -> None:
        """Try what has the traffic. Raises Unsure when it is not well."""
        trouble = self._smoke(git_sha)
        if trouble:
            raise Unsure(f"{git_sha[:SHORT]} has the traffic, and is not well:\n{trouble}")

    def last_good(self) -> Deployment | None:
        """Return the newest deployment from before the running release came whose smoke test passed here.

        What ran between its first day and now was gone back from, so that is not looked at.
        """
        active, history = self._state().active, self.platform.history()
        mine = [place for place, one in enumerate(history) if active and one.images == active.images]
        for deployment in history[mine[-1] + 1 if mine else 0 :]:
            if is_proven(self.registry, deployment.images, self.environment.gives):
                return deployment
        return None

    def _named(self, deployment: Deployment) -> str:
        return f"{self._commit(deployment)[:SHORT] or 'a release without a name'} ({deployment.id})"

    def _commit(self, deployment: Deployment) -> str:
        """Return the commit of a deployment, "" when the registry does not tell: nobody waits for it to go back."""
        try:
            return commit_of_images(self.registry, deployment.images)
        except OutsideError:
            return ""

    def _state(self) -> State:
        state = self.platform.look()
        if state is None:
            raise Unsure("The app was there, and is no more. See: make status")
        return state

    def _log(self) -> str:
        try:
            return self.platform.logs("")
        except DeployError:
            return ""
