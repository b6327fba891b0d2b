"""The container registry that the platform pulls from, and its documents in the API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.simulators.app_platform.model import stamp
from tests.simulators.app_platform.spec import Spec, images
from tests.simulators.registry.repositories import Repositories


@dataclass
class Registry(Repositories):
    name: str = "slipway"

    def missing(self, spec: Spec) -> list[str]:
        """Return the images of a spec that can't be pulled."""
        return [
            f"{name}: {image['repository']}{'@' if 'digest' in image else ':'}{image.get('digest') or image.get('tag')}"
            for name, image in images(spec)
            if not self._holds(image)
        ]

    def tags_shown(self, repository: str, at: datetime) -> list[dict[str, Any]]:
        return [
            {
                "registry_name": self.name,
                "repository": repository,
                "tag": tag,
                "manifest_digest": digest,
                "compressed_size_bytes": 100,
                "size_bytes": 200,
                "updated_at": stamp(at),
            }
            for digest, tags in self.repositories[repository].items()
            for tag in sorted(tags)
        ]

    def manifests_shown(self, repository: str, at: datetime) -> list[dict[str, Any]]:
        return [
            {
                "registry_name": self.name,
                "repository": repository,
                "digest": digest,
                "tags": sorted(tags),
                "compressed_size_bytes": 100,
                "size_bytes": 200,
                "updated_at": stamp(at),
                "blobs": [],
            }
            for digest, tags in self.repositories[repository].items()
        ]

    def _holds(self, image: dict[str, Any]) -> bool:
        manifests = self.repositories.get(image.get("repository", ""), {})
        if "digest" in image:
            return image["digest"] in manifests
        return any(image.get("tag", "latest") in tags for tags in manifests.values())
