"""Creates small valid images: a layer, a config with labels, a manifest, and an index of two."""

import gzip
import io
import json
import tarfile
from typing import Any

from tests.simulators.registry.store import Store, digest_of

OCI, DOCKER = "application/vnd.oci.image", "application/vnd.docker"
INDEX_TYPE = f"{OCI}.index.v1+json"
# Media types of manifest, config and layer: those of BuildKit, and those of `docker push`.
OCI_TYPES = (f"{OCI}.manifest.v1+json", f"{OCI}.config.v1+json", f"{OCI}.layer.v1.tar+gzip")
DOCKER_TYPES = (
    f"{DOCKER}.distribution.manifest.v2+json",
    f"{DOCKER}.container.image.v1+json",
    f"{DOCKER}.image.rootfs.diff.tar.gzip",
)


def put_image(store: Store, name: str, labels: dict[str, str], architecture: str, docker: bool) -> str:
    """Return the digest."""
    manifest_type, config_type, layer_type = DOCKER_TYPES if docker else OCI_TYPES
    files = layer(labels)
    config = {
        "architecture": architecture,
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {"Labels": labels},
        "rootfs": {"type": "layers", "diff_ids": [digest_of(files)]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "COPY . ."}],
    }
    return put_manifest(
        store,
        name,
        {
            "schemaVersion": 2,
            "mediaType": manifest_type,
            "config": put_part(store, name, packed(config), config_type),
            "layers": [put_part(store, name, gzip.compress(files, mtime=0), layer_type)],
        },
    )


def put_index(store: Store, name: str, image: str) -> str:
    """Put an index of an image and its build attestation, as BuildKit does; return its digest."""
    statement = packed({"_type": "https://in-toto.io/Statement/v0.1", "subject": [], "predicate": {}})
    attestation = put_manifest(
        store,
        name,
        {
            "schemaVersion": 2,
            "mediaType": OCI_TYPES[0],
            "config": put_part(store, name, packed({"architecture": "unknown", "os": "unknown"}), OCI_TYPES[1]),
            "layers": [put_part(store, name, statement, "application/vnd.in-toto+json")],
        },
    )
    of_image = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": image}
    children = [
        child(store, name, image, {"architecture": "amd64", "os": "linux"}),
        child(store, name, attestation, {"architecture": "unknown", "os": "unknown"}) | {"annotations": of_image},
    ]
    return put_manifest(store, name, {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": children})


def child(store: Store, name: str, digest: str, platform: dict[str, str]) -> dict[str, Any]:
    """Return an index's entry for a manifest."""
    manifest = store.manifest(name, digest)
    size = len(manifest.content)
    return {"mediaType": manifest.media_type, "digest": digest, "size": size, "platform": platform}


def put_manifest(store: Store, name: str, manifest: dict[str, Any]) -> str:
    """Put a manifest by its digest; return the digest."""
    content = packed(manifest)
    return store.put_manifest(name, digest_of(content), content, manifest["mediaType"])


def put_part(store: Store, name: str, content: bytes, media_type: str) -> dict[str, Any]:
    """Put a blob and return its descriptor."""
    digest = digest_of(content)
    store.put_blob(name, content, digest)
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def layer(labels: dict[str, str]) -> bytes:
    """Return a tar file with one file, whose content depends on the labels."""
    content, target = packed(labels), io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        entry = tarfile.TarInfo("app/labels.json")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return target.getvalue()


def packed(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
