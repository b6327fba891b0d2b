"""The simulated platform: its apps and their operations."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulators.app_platform.errors import bad_request, not_found, pinned
from tests.simulators.app_platform.lifecycle import Lifecycle
from tests.simulators.app_platform.model import App, Deployment
from tests.simulators.app_platform.pace import OnPolls, Pace
from tests.simulators.app_platform.registry import Registry
from tests.simulators.app_platform.rollback import failing_condition
from tests.simulators.app_platform.runner import Runner, ScriptedRunner
from tests.simulators.app_platform.spec import Spec, refusals, with_defaults
from tests.simulators.app_platform.vault import ForeignCiphertextError, Vault


@dataclass
class Cloud:
    """One account's App Platform. Tests use it directly, the tool over HTTP."""

    runner: Runner = field(default_factory=ScriptedRunner)
    pace: Pace = field(default_factory=OnPolls)
    registry: Registry = field(default_factory=Registry)
    vault: Vault = field(default_factory=Vault)
    apps: dict[str, App] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=lambda: {"do-test-token"})
    lock: threading.RLock = field(default_factory=threading.RLock)
    # Returns the address of a new app.
    site: Callable[[App], str] = lambda app: ""

    def add_app(self, spec: Spec, live_url: str = "") -> App:
        """Add an app whose first deployment is active."""
        app = App(spec, self.pace.now(), live_url)
        app.spec = self.accepted(app.id, spec)
        self.apps[app.id] = app
        first = self._start(app, "initial deployment")
        first.plan()
        for step in first.steps:
            step.status = "SUCCESS"
        self._lifecycle().activate(app, first, self.pace.now())
        return app

    def create_app(self, spec: Spec) -> App:
        """Add an app and start its first deployment."""
        if any(app.spec["name"] == spec["name"] for app in self.apps.values()):
            raise bad_request(f"app with name {spec['name']} already exists")
        app = App(spec, self.pace.now())
        app.spec = self.accepted(app.id, spec)
        app.live_url = self.site(app)
        self.apps[app.id] = app
        self._start(app, "initial deployment")
        return app

    def app(self, app_id: str) -> App:
        """Return an app, after advancing its deployments."""
        if app_id not in self.apps:
            raise not_found()
        app = self.apps[app_id]
        lifecycle = self._lifecycle()
        # Newest first: it supersedes the others before they can end.
        for deployment in filter(lambda one: one.under_way, reversed(app.deployments)):
            for _ in range(self.pace.steps(deployment)):
                lifecycle.advance(app, deployment, self.pace.now())
        return app

    def deployment(self, app: App, deployment_id: str) -> Deployment:
        found = app.newest(lambda deployment: deployment.id == deployment_id)
        if found is None:
            raise not_found()
        return found

    def accepted(self, app_id: str, spec: Spec) -> Spec:
        """Return the spec with defaults and ciphertexts. Raises ApiError for an invalid one."""
        problems = refusals(spec)
        if problems:
            raise bad_request("error validating app spec: " + "; ".join(problems))
        try:
            return self.vault.encrypt(app_id, with_defaults(spec))
        except ForeignCiphertextError as error:
            raise bad_request("error validating app spec: a secret's encrypted value is not this app's") from error

    def update(self, app: App, spec: Spec) -> Deployment:
        """Replace the app's whole spec and deploy it."""
        if app.pinned:
            raise pinned()
        app.spec = self.accepted(app.id, spec)
        return self._start(app, "app spec updated")

    def deploy_again(self, app: App) -> Deployment:
        if app.pinned:
            raise pinned()
        return self._start(app, "manual")

    def cancel(self, deployment: Deployment) -> Deployment:
        if not deployment.under_way:
            raise bad_request(f"the deployment can't be cancelled in phase {deployment.phase}")
        self._lifecycle().cancel(deployment, self.pace.now())
        return deployment

    def roll_back(self, app: App, target: Deployment, skip_pin: bool) -> Deployment:
        """Deploy an earlier deployment's spec, including envs; without skip_pin the app is pinned to it."""
        code = failing_condition(app, target)
        if code:
            raise pinned() if code == "app_pinned" else bad_request(f"rollback is not possible: {code}")
        before, app.spec = app.spec, target.spec
        deployment = self._start(app, f"rollback to {target.id}", "MANUAL_ROLLBACK", target.id)
        if not skip_pin:
            app.pinned, app.spec_before_rollback = deployment, before
        return deployment

    def commit_rollback(self, app: App) -> None:
        """Keep the rollback and unpin the app."""
        if not app.pinned:
            raise bad_request("there is no rollback to commit")
        app.pinned = app.spec_before_rollback = None

    def revert_rollback(self, app: App) -> Deployment:
        """Deploy the spec from before the rollback and unpin the app."""
        if not app.pinned or app.spec_before_rollback is None:
            raise bad_request("there is no rollback to revert")
        app.spec = app.spec_before_rollback
        app.pinned = app.spec_before_rollback = None
        return self._start(app, "rollback reverted")

    def _start(self, app: App, cause: str, kind: str = "MANUAL", cloned_from: str | None = None) -> Deployment:
        deployment = Deployment(app.spec, cause, self.pace.now(), kind, cloned_from)
        app.deployments.append(deployment)
        return deployment

    def _lifecycle(self) -> Lifecycle:
        return Lifecycle(self.registry, self.runner, self.vault)
