"""A minimal client of a registry."""

import re

import httpx

from tests.simulators.registry.image import DOCKER_TYPES, INDEX_TYPE, OCI_TYPES
from tests.simulators.registry.server import OciRegistry

READABLE = ", ".join([OCI_TYPES[0], DOCKER_TYPES[0], INDEX_TYPE])
CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class Client:
    """The requests for one repository."""

    def __init__(self, registry: OciRegistry, name: str = "slipway-app") -> None:
        self.http = httpx.Client(base_url=registry.url, headers={"Accept": READABLE})
        self.base = f"/v2/{name}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self.http.get(self.base + path, headers=headers)

    def head(self, path: str) -> httpx.Response:
        return self.http.head(self.base + path)

    def put(self, reference: str, content: bytes, media_type: str = OCI_TYPES[0]) -> httpx.Response:
        return self.http.put(
            f"{self.base}/manifests/{reference}", content=content, headers={"Content-Type": media_type}
        )

    def copy_tag(self, old: str, new: str) -> httpx.Response:
        """Add a tag to a manifest by pushing its bytes again, as the deploy tool does."""
        manifest = self.get(f"/manifests/{old}")
        return self.put(new, manifest.content, manifest.headers["content-type"])

    def log_in(self, challenged: httpx.Response, credentials: tuple[str, str]) -> httpx.Response:
        """Get the token that a challenge requires, and use it from now on."""
        parts = dict(CHALLENGE.findall(challenged.headers["www-authenticate"]))
        response = httpx.get(parts.pop("realm"), params=parts, auth=credentials)
        if response.is_success:
            self.http.headers["Authorization"] = f"Bearer {response.json()['token']}"
        return response


def codes(response: httpx.Response) -> list[str]:
    return [error["code"] for error in response.json()["errors"]]
