"""The requests of a deploy tool, and the specs it sends."""

from typing import Any

import httpx

from tests.simulators.app_platform.model import App
from tests.simulators.app_platform.server import Simulator

OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")
PHASES = ["PENDING_BUILD", "BUILDING", "PENDING_DEPLOY", "DEPLOYING", "DEPLOYING", "ACTIVE"]


def make_spec(digest: str, *envs: dict[str, str]) -> dict[str, Any]:
    image = {"registry_type": "DOCR", "repository": "app", "digest": digest}
    return {
        "name": "slipway",
        "region": "ams",
        "services": [{"name": "api", "image": image, "http_port": 8000, "envs": list(envs)}],
        "workers": [{"name": "worker", "image": image}],
        "jobs": [{"name": "migrate", "kind": "PRE_DEPLOY", "image": image}],
    }


def secret(value: str) -> dict[str, str]:
    return {"key": "JWT_SECRET", "type": "SECRET", "value": value}


class Tool:
    def __init__(self, platform: Simulator, app: App) -> None:
        self.base = f"/v2/apps/{app.id}"
        self.http = httpx.Client(
            base_url=platform.url, headers={"Authorization": f"Bearer {platform.token}"}, verify=False
        )

    def app(self) -> Any:
        return self.http.get(self.base).json()["app"]

    def put(self, spec: dict[str, Any]) -> httpx.Response:
        return self.http.put(self.base, json={"spec": spec, "update_all_source_versions": True})

    def deploy(self, spec: dict[str, Any]) -> str:
        return str(self.put(spec).json()["app"]["pending_deployment"]["id"])

    def poll(self, deployment: str) -> Any:
        return self.http.get(f"{self.base}/deployments/{deployment}").json()["deployment"]

    def phases(self, deployment: str) -> list[str]:
        """Poll until the deployment ends; return its phases."""
        seen: list[str] = []
        while not seen or seen[-1] not in ("ACTIVE", "SUPERSEDED", "ERROR", "CANCELED"):
            seen.append(self.poll(deployment)["phase"])
            assert len(seen) < 20
        return seen

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.http.post(self.base + path, json=body or None)

    def log(self, deployment: str, kind: str, component: str = "") -> str:
        part = f"/components/{component}" if component else ""
        links = self.http.get(f"{self.base}/deployments/{deployment}{part}/logs", params={"type": kind}).json()
        return "".join(httpx.get(url).text for url in [*links["historic_urls"], links.get("live_url")] if url)
