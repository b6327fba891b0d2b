"""Stores the registry's blobs and manifests. The tags are in the account's list of images."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from tests.simulators.registry.errors import RegistryError
from tests.simulators.registry.repositories import Repositories

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass
class Manifest:
    digest: str
    content: bytes
    media_type: str


@dataclass
class Store:
    """Repositories by their full name. `listing` is the object that the platform's API uses, so both always match."""

    listing: Repositories
    # The path of the account's registry; other paths belong to other accounts.
    namespace: str = ""
    blobs: dict[tuple[str, str], bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], Manifest] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)

    def owns(self, name: str) -> bool:
        """Return whether a repository is in the account's registry."""
        return not self.namespace or name == self.namespace or name.startswith(f"{self.namespace}/")

    def tags(self, name: str) -> dict[str, str]:
        """Map each tag to its digest. Raises RegistryError, also for a repository without tags."""
        digests = self.listing.repositories.get(self._listed(name), {}) if self.owns(name) else {}
        tags = {tag: digest for digest, tags in digests.items() for tag in tags}
        if not tags:
            raise RegistryError("NAME_UNKNOWN", {"name": name})
        return tags

    def manifest(self, name: str, reference: str) -> Manifest:
        """Raises RegistryError."""
        unknown = RegistryError("MANIFEST_UNKNOWN", f"unknown manifest {name} {reference}")
        if not self.owns(name):
            raise unknown
        digests = self.listing.repositories.get(self._listed(name), {})
        tagged = (digest for digest, tags in digests.items() if reference in tags)
        digest = reference if reference in digests else next(tagged, "")
        if (name, digest) not in self.manifests:
            raise unknown
        return self.manifests[name, digest]

    def put_manifest(self, name: str, reference: str, content: bytes, media_type: str) -> str:
        """Store a manifest under a tag or its digest; return the digest. Raises RegistryError."""
        digest = digest_of(content)
        is_digest = ":" in reference
        if is_digest and reference != digest:
            raise RegistryError("DIGEST_INVALID")
        self._refuse_invalid(name, parsed(content), media_type)
        self.manifests[name, digest] = Manifest(digest, content, media_type)
        self.listing.push(self._listed(name), digest, *([] if is_digest else [reference]))
        return digest

    def put_blob(self, name: str, content: bytes, digest: str) -> None:
        """Raises RegistryError when the digest does not match."""
        if digest != digest_of(content):
            raise RegistryError("DIGEST_INVALID")
        self.blobs[name, digest] = content

    def blob(self, name: str, digest: str) -> bytes:
        """Raises RegistryError."""
        if not DIGEST.fullmatch(digest):
            raise RegistryError("DIGEST_INVALID")
        if (name, digest) not in self.blobs:
            raise RegistryError("BLOB_UNKNOWN", digest)
        return self.blobs[name, digest]

    def start_upload(self) -> str:
        upload = str(uuid4())
        self.uploads[upload] = b""
        return upload

    def upload(self, upload: str, content: bytes) -> int:
        """Append to an upload and return its size in bytes. Raises RegistryError."""
        if upload not in self.uploads:
            raise RegistryError("BLOB_UPLOAD_UNKNOWN")
        self.uploads[upload] += content
        return len(self.uploads[upload])

    def _listed(self, name: str) -> str:
        return name.removeprefix(f"{self.namespace}/") if self.namespace else name

    def _refuse_invalid(self, name: str, manifest: Any, media_type: str) -> None:
        if not isinstance(manifest, dict) or manifest.get("mediaType", media_type) != media_type:
            raise RegistryError("MANIFEST_INVALID", {})
        if not manifest.keys() & {"config", "manifests"}:
            raise RegistryError("MANIFEST_INVALID", {})
        parts = [part["digest"] for part in (manifest.get("config"), *manifest.get("layers", [])) if part]
        children = [child["digest"] for child in manifest.get("manifests", [])]
        missing = [digest for digest in parts if (name, digest) not in self.blobs]
        missing += [digest for digest in children if (name, digest) not in self.manifests]
        if missing:
            raise RegistryError("MANIFEST_BLOB_UNKNOWN", *missing)


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def parsed(content: bytes) -> Any:
    """Return the parsed JSON, or None when it is invalid."""
    try:
        return json.loads(content)
    except ValueError:
        return None
