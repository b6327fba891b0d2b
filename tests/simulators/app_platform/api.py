"""The operations of the API; each returns the body of its response."""

from collections.abc import Callable
from typing import Any

from tests.simulators.app_platform.cloud import Cloud
from tests.simulators.app_platform.contract import Call
from tests.simulators.app_platform.errors import bad_request, not_found
from tests.simulators.app_platform.model import stamp
from tests.simulators.app_platform.rollback import validation

Body = dict[str, Any] | None


class Api:
    """The API of one cloud; `url` returns the address of its log files."""

    def __init__(self, cloud: Cloud, url: Callable[[], str]) -> None:
        self.cloud = cloud
        self._url = url

    def respond(self, call: Call) -> Body:
        """Raises ApiError."""
        with self.cloud.lock:
            return OPERATIONS[call.operation](self, call)

    def list_apps(self, call: Call) -> Body:
        return paged(call, self._url(), "apps", [self.cloud.app(app_id).shown() for app_id in self.cloud.apps])

    def create_app(self, call: Call) -> Body:
        return {"app": self.cloud.create_app(call.body["spec"]).shown()}

    def get_app(self, call: Call) -> Body:
        return {"app": self.cloud.app(call.params["id"]).shown()}

    def update_app(self, call: Call) -> Body:
        """The response contains pending_deployment."""
        app = self.cloud.app(call.params["id"])
        self.cloud.update(app, call.body["spec"])
        return {"app": app.shown()}

    def propose(self, call: Call) -> Body:
        """Validate a spec; nothing is changed."""
        app_id = call.body.get("app_id")
        if app_id is not None and app_id not in self.cloud.apps:
            raise not_found()
        spec = self.cloud.accepted(app_id or "proposed", call.body["spec"])
        used_names = {app.spec["name"] for app in self.cloud.apps.values() if app.id != app_id}
        static = not any(spec.get(kind) for kind in ("services", "workers", "jobs", "functions"))
        return {
            "spec": spec,
            "app_cost": 29,
            "app_is_static": static,
            "app_name_available": spec["name"] not in used_names,
        }

    def list_deployments(self, call: Call) -> Body:
        """Newest first."""
        app = self.cloud.app(call.params["app_id"])
        kinds = call.query.get("deployment_types", "").split(",")
        chosen = [deployment for deployment in app.deployments if kinds == [""] or deployment.kind in kinds]
        return paged(call, self._url(), "deployments", [deployment.shown() for deployment in reversed(chosen)])

    def get_deployment(self, call: Call) -> Body:
        app = self.cloud.app(call.params["app_id"])
        return {"deployment": self.cloud.deployment(app, call.params["deployment_id"]).shown()}

    def create_deployment(self, call: Call) -> Body:
        return {"deployment": self.cloud.deploy_again(self.cloud.app(call.params["app_id"])).shown()}

    def cancel_deployment(self, call: Call) -> Body:
        app = self.cloud.app(call.params["app_id"])
        return {"deployment": self.cloud.cancel(self.cloud.deployment(app, call.params["deployment_id"])).shown()}

    def get_logs(self, call: Call) -> Body:
        """Return links to the live log while the deployment runs, to archived logs afterwards."""
        app = self.cloud.app(call.params["app_id"])
        deployment_id = call.params.get("deployment_id") or (app.active.id if app.active else "")
        deployment = self.cloud.deployment(app, deployment_id)
        component = call.params.get("component_name", "")
        link = f"{self._url()}/logs/{deployment.id}/{call.query['type']}/{component or '-'}"
        if deployment.under_way or deployment.phase == "ACTIVE":
            return {"live_url": link, "historic_urls": []}
        return {"historic_urls": [link]}

    def validate_rollback(self, call: Call) -> Body:
        app = self.cloud.app(call.params["app_id"])
        return validation(app, self.cloud.deployment(app, call.body.get("deployment_id", "")))

    def create_rollback(self, call: Call) -> Body:
        app = self.cloud.app(call.params["app_id"])
        target = self.cloud.deployment(app, call.body.get("deployment_id", ""))
        return {"deployment": self.cloud.roll_back(app, target, call.body.get("skip_pin", False)).shown()}

    def commit_rollback(self, call: Call) -> Body:
        """The response has no body."""
        self.cloud.commit_rollback(self.cloud.app(call.params["app_id"]))
        return None

    def revert_rollback(self, call: Call) -> Body:
        return {"deployment": self.cloud.revert_rollback(self.cloud.app(call.params["app_id"])).shown()}

    def list_registries(self, call: Call) -> Body:
        registry = {"name": self.cloud.registry.name, "region": "fra1", "created_at": stamp(self.cloud.pace.now())}
        return {"registries": [registry]}

    def list_tags(self, call: Call) -> Body:
        return paged(call, self._url(), "tags", self._of_repository(call, self.cloud.registry.tags_shown))

    def list_manifests(self, call: Call) -> Body:
        return paged(call, self._url(), "manifests", self._of_repository(call, self.cloud.registry.manifests_shown))

    def _of_repository(self, call: Call, show: Callable[..., list[dict[str, Any]]]) -> list[dict[str, Any]]:
        registry, repository = self.cloud.registry, call.params["repository_name"]
        if call.params["registry_name"] != registry.name or repository not in registry.repositories:
            raise not_found()
        return show(repository, self.cloud.pace.now())


def paged(call: Call, url: str, name: str, items: list[dict[str, Any]]) -> Body:
    """Return one page with `links.pages` and `meta.total`."""
    page, size = int(call.query.get("page", 1)), int(call.query.get("per_page", 20))
    if page < 1 or size < 1:
        raise bad_request("page and per_page start at 1")
    last = max(1, -(-len(items) // size))
    base = url + call.template.format(**call.params)
    numbers = {"next": page + 1, "last": last} if page < last else {}
    numbers |= {"first": 1, "prev": page - 1} if page > 1 else {}
    pages = {which: f"{base}?page={number}&per_page={size}" for which, number in numbers.items()}
    return {
        name: items[(page - 1) * size : page * size],
        "links": {"pages": pages} if pages else {},
        "meta": {"total": len(items)},
    }


OPERATIONS: dict[str, Callable[[Api, Call], Body]] = {
    "apps_list": Api.list_apps,
    "apps_create": Api.create_app,
    "apps_get": Api.get_app,
    "apps_update": Api.update_app,
    "apps_validate_appSpec": Api.propose,
    "apps_list_deployments": Api.list_deployments,
    "apps_get_deployment": Api.get_deployment,
    "apps_create_deployment": Api.create_deployment,
    "apps_cancel_deployment": Api.cancel_deployment,
    "apps_get_logs": Api.get_logs,
    "apps_get_logs_aggregate": Api.get_logs,
    "apps_get_logs_active_deployment": Api.get_logs,
    "apps_get_logs_active_deployment_aggregate": Api.get_logs,
    "apps_validate_rollback": Api.validate_rollback,
    "apps_create_rollback": Api.create_rollback,
    "apps_commit_rollback": Api.commit_rollback,
    "apps_revert_rollback": Api.revert_rollback,
    "registries_list": Api.list_registries,
    "registries_list_repositoryTags": Api.list_tags,
    "registries_list_repositoryManifests": Api.list_manifests,
}
