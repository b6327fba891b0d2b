"""One app on DigitalOcean App Platform."""

import os
from collections.abc import Collection, Mapping
from contextlib import suppress

from scripts.deploy.app_platform import app_spec, deployments
from scripts.deploy.app_platform.api import Api, Document
from scripts.deploy.app_platform.app_spec import Spec
from scripts.deploy.app_platform.spec_changes import changes
from scripts.deploy.environments import Environment
from scripts.deploy.errors import ExternalError, NeedsAttention, Refused, ReleaseFailed
from scripts.deploy.platform import Deployment, Plan, State
from scripts.deploy.registry import Registry, platform_registry
from scripts.deploy.report import Report
from scripts.deploy.system import System
from scripts.deploy.variables import DeclaredVariables

# How long a cancelled deployment may take to end.
CANCEL_SECONDS = 60
REGISTRY_HOST = "registry.digitalocean.com"


class AppPlatform:
    """The app of one environment. Raises Refused without a token or with an unusable spec."""

    images: tuple[str, ...] = ("app", "web")
    # A PRE_DEPLOY job may take 10 minutes.
    deploy_seconds = 1200.0

    def __init__(self, system: System, report: Report, environment: Environment) -> None:
        self._api = Api(system)
        self._system = system
        self._report = report
        self._environment = environment
        self._base = app_spec.read_spec(environment.spec.read_text("utf-8"), environment.spec.name)
        self.app = str(self._base["name"])
        self._id = ""
        self._app: Document = {}

    def registry(self) -> Registry:
        """Return the registry of IMAGE_PREFIX, else the account's only one, with the API token as login."""
        prefix = os.environ.get("IMAGE_PREFIX", "")
        if not prefix:
            names = [registry["name"] for registry in self._api.get("/v2/registries").get("registries") or []]
            if len(names) != 1:
                found = f"The account has {', '.join(names) or 'no registry'}"
                raise Refused(f"{found}. Name the registry to use: IMAGE_PREFIX={REGISTRY_HOST}/<name>/")
            prefix = f"{REGISTRY_HOST}/{names[0]}/"
        return platform_registry(self._system, prefix, REGISTRY_HOST, self._api.token, self._api.token)

    def repository(self, image: str) -> str:
        return f"slipway-{image}"

    def find_state(self) -> State | None:
        if not self._id:
            self._id = deployments.find_app(self._api, self.app)
        if not self._id:
            return None
        self._app = self._api.get(f"/v2/apps/{self._id}")["app"]
        in_progress = self._app.get("in_progress_deployment") or self._app.get("pending_deployment")
        return State(
            url=self._app.get("live_url", "").rstrip("/"),
            active=_deployment(self._app.get("active_deployment")),
            in_progress=_deployment(in_progress),
            pinned=bool(self._app.get("pinned_deployment")),
        )

    def history(self) -> list[Deployment]:
        """Return the deployments that were live, newest first. The platform can roll back to the last ten."""
        listed = deployments.list_deployments(self._api, self._id)
        found = [_deployment(one) for one in listed if one["phase"] in ("ACTIVE", "SUPERSEDED")]
        return [deployment for deployment in found if deployment and all(deployment.images.values())]

    def plan(self, release: Mapping[str, str], git_sha: str, given: Mapping[str, str]) -> Plan:
        """Plan the file's spec, with the release's digests and the values that only the platform has."""
        spec = app_spec.merged(app_spec.with_digests(self._base, release), self._live, given)
        return self._validated_plan(spec, dict(release))

    def plan_variables(self, given: Mapping[str, str], secret: Collection[str], pruned: Collection[str]) -> Plan:
        """Plan the live spec with changed variables and the live images."""
        spec = app_spec.with_values(self._live, self._base, given, pruned, secret)
        return self._validated_plan(spec, app_spec.digests(self._live))

    def deploy(self, plan: Plan) -> str:
        if not self._id:
            self._id = deployments.create_app(self._api, self._report, plan.payload)
            return deployments.find_first_deployment(self._api, self._id, plan.images)
        return self._start("PUT", "", {"spec": plan.payload, "update_all_source_versions": True}, plan.images)

    def wait_until_active(self, deployment: str, seconds: float) -> None:
        """Poll the deployment until it is live; after `seconds` it is cancelled."""
        if not self._reaches_active(deployment, seconds):
            self.cancel(deployment)
            raise ReleaseFailed(f"Deployment {deployment} did not finish in {seconds:.0f} s and was cancelled")
        for _ in range(deployments.SEARCH_ATTEMPTS):
            state = self.find_state()
            if state and state.active and state.active.id == deployment:
                return
            self._system.sleep(deployments.POLL_SECONDS)
        raise NeedsAttention(f"Deployment {deployment} is ACTIVE, but another deployment is live. See: make status")

    def cancel(self, deployment: str) -> None:
        """Cancel a deployment and wait until it has ended; it may still become active."""
        problem = None
        try:
            self._api.send("POST", f"/v2/apps/{self._id}/deployments/{deployment}/cancel")
        except ExternalError as error:
            # It may have ended already, or only the response was lost: the phase shows which.
            problem = error
        with suppress(ReleaseFailed):
            if not self._reaches_active(deployment, CANCEL_SECONDS) and problem:
                raise problem

    def roll_back(self, target: Deployment, git_sha: str, seconds: float) -> str:
        """Use the platform's rollback, which restores the whole spec; if it is refused, deploy only the old images."""
        deadline = self._system.clock() + seconds
        refusal = self._rollback_refusal(target.id) if target.id else "it no longer has that deployment"
        if not refusal:
            body = {"deployment_id": target.id, "skip_pin": True}
            deployment = self._start("POST", "/rollback", body, target.images)
            try:
                return self._wait_for_rollback(deployment, deadline)
            except ReleaseFailed as error:
                refusal = str(error)
        self._report.say(f"  App Platform can't roll back ({refusal}); rolling back the images only")
        self.find_state()
        # The migration job stays at the newer release: an older image may not have the newest migrations.
        spec = app_spec.with_digests(self._live, target.images, jobs=False)
        return self._wait_for_rollback(self.deploy(self._validated_plan(spec, target.images)), deadline)

    def logs(self, component: str, deployment: str = "") -> str:
        which = f"/deployments/{deployment}" if deployment else ""
        part = f"/components/{component}" if component else ""
        return deployments.read_log(self._api, f"/v2/apps/{self._id}{which}{part}/logs", "RUN")

    def declared_variables(self) -> DeclaredVariables:
        envs = [env for _, level in app_spec.levels(self._base) for env in level.get("envs") or []]
        return DeclaredVariables(
            source=f".do/{self._environment.spec.name}",
            fixed=frozenset(env["key"] for env in envs if "value" in env),
            open=frozenset(env["key"] for env in envs if "value" not in env),
            secret=frozenset(env["key"] for env in envs if env.get("type") == "SECRET"),
        )

    def current_values(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        for name, level in app_spec.levels(self._live):
            for env in level.get("envs") or []:
                if not name or env["key"] in app_spec.component_keys(self._base):
                    found[env["key"]] = None if env.get("type") == "SECRET" else env.get("value", "")
        return found

    @property
    def _live(self) -> Spec:
        """The spec of the active deployment: the app's own spec may be that of a deployment that failed."""
        spec: Spec = (self._app.get("active_deployment") or self._app).get("spec") or {}
        return spec

    def _start(self, method: str, path: str, body: Document, images: dict[str, str]) -> str:
        return deployments.start_deployment(self._api, self._report, self._id, method, path, body, images)

    def _reaches_active(self, deployment: str, seconds: float) -> bool:
        return deployments.wait_until_active(self._api, self._report, self._id, deployment, seconds)

    def _validated_plan(self, spec: Spec, images: dict[str, str]) -> Plan:
        """Let the platform validate a spec, which changes nothing. Raises Refused."""
        body = {"spec": spec} | ({"app_id": self._id} if self._id else {})
        try:
            self._api.send("POST", "/v2/apps/propose", body)
        except ExternalError as error:
            if 400 <= error.status < 500:
                raise Refused(f"App Platform rejected the spec: {error}") from None
            # An unavailable validation must not prevent a rollback.
            self._report.say(f"  the spec could not be validated beforehand: {error}")
        return Plan(images, changes(self._live, spec), spec)

    def _rollback_refusal(self, deployment: str) -> str:
        body = {"deployment_id": deployment, "skip_pin": True}
        try:
            response = self._api.send("POST", f"/v2/apps/{self._id}/rollback/validate", body)
        except ExternalError as error:
            return str(error)
        for warning in response.get("warnings") or []:
            self._report.say(f"  warning: {warning.get('message') or warning.get('code')}")
        refusal = response.get("error") or {}
        return "" if response.get("valid") else str(refusal.get("message") or refusal.get("code") or "no reason given")

    def _wait_for_rollback(self, deployment: str, deadline: float) -> str:
        """Wait for a rollback. A slow one is not cancelled, because there is no better release."""
        if not self._reaches_active(deployment, deadline - self._system.clock()):
            raise NeedsAttention(
                f"Rollback {deployment} did not finish in time and is still in progress. See: make status"
            )
        return deployment


def _deployment(document: Document | None) -> Deployment | None:
    return Deployment(document["id"], app_spec.digests(document["spec"])) if document else None
