"""The simulator stores manifests, tags and blobs as the OCI Distribution Specification and registry:2 do."""

import gzip
import json
from typing import Any

import httpx
import pytest

from tests.simulators.app_platform.server import app_platform
from tests.simulators.registry.client import READABLE, Client, codes
from tests.simulators.registry.image import DOCKER_TYPES, INDEX_TYPE, OCI_TYPES
from tests.simulators.registry.repositories import Repositories
from tests.simulators.registry.server import OciRegistry, oci_registry
from tests.simulators.registry.store import digest_of

SHA = "0123456789ab" + "0" * 28


@pytest.mark.parametrize("docker", [False, True])
def test_an_image_is_read_down_to_its_layer(registry: OciRegistry, client: Client, docker: bool) -> None:
    digest = registry.push_image("slipway-app", git_sha=SHA, tags=("sha-0123456789ab",), docker=docker)
    manifest = client.get("/manifests/sha-0123456789ab")
    assert manifest.headers["docker-content-digest"] == digest == digest_of(manifest.content)
    assert (
        manifest.headers["content-type"] == manifest.json()["mediaType"] == (DOCKER_TYPES if docker else OCI_TYPES)[0]
    )
    config, layer = (blob(client, part) for part in (manifest.json()["config"], *manifest.json()["layers"]))
    image = json.loads(config)
    assert image["architecture"] == "amd64"
    assert image["os"] == "linux"
    assert image["rootfs"]["diff_ids"] == [digest_of(gzip.decompress(layer))]
    assert image["config"]["Labels"] == {
        "org.opencontainers.image.revision": SHA,
        "org.opencontainers.image.version": "0.1.0",
        "slipway.schema": "0004",
    }


def test_an_index_names_an_image_and_an_attestation(registry: OciRegistry, client: Client) -> None:
    digest = registry.push_image("slipway-app", git_sha=SHA, tags=("sha-0",), index=True)
    index = client.get("/manifests/sha-0")
    assert index.headers["content-type"] == INDEX_TYPE
    assert index.headers["docker-content-digest"] == digest
    platforms = [child["platform"]["architecture"] for child in index.json()["manifests"]]
    assert platforms == ["amd64", "unknown"]
    assert all(client.head(f"/manifests/{child['digest']}").is_success for child in index.json()["manifests"])


def test_head_returns_the_headers_without_the_body(registry: OciRegistry, client: Client) -> None:
    digest = registry.push_image("slipway-app", git_sha=SHA)
    get, head = client.get(f"/manifests/{digest}"), client.head(f"/manifests/{digest}")
    assert head.content == b""
    for name in ("docker-content-digest", "content-type", "content-length"):
        assert head.headers[name] == get.headers[name]


def test_a_tag_put_over_http_is_in_the_platforms_list_at_once() -> None:
    with app_platform() as platform, oci_registry(platform.cloud.registry, namespace="slipway") as registry:
        digest = registry.push_image("slipway-app", git_sha=SHA, tags=("sha-0",))
        response = Client(registry, "slipway/slipway-app").copy_tag("sha-0", "tested-0")
        assert response.status_code == 201
        assert response.headers["docker-content-digest"] == digest
        headers = {"Authorization": f"Bearer {platform.token}"}
        url = f"{platform.url}/v2/registries/slipway/repositories/slipway-app/tags"
        tags = httpx.get(url, headers=headers).json()["tags"]
        assert {tag["tag"]: tag["manifest_digest"] for tag in tags} == {"sha-0": digest, "tested-0": digest}


def test_a_tag_moves_and_the_digest_stays(registry: OciRegistry, client: Client) -> None:
    old, new = (registry.push_image("slipway-app", git_sha=sha * 40, tags=(sha,)) for sha in "ab")
    client.copy_tag("a", "production")
    client.copy_tag("b", "production")
    assert registry.tags("slipway-app") == {"a": old, "b": new, "production": new}
    assert client.get(f"/manifests/{old}").is_success


def test_an_image_deleted_from_the_platforms_list_is_deleted_here() -> None:
    listing = Repositories()
    with oci_registry(listing) as registry:
        digest = registry.push_image("slipway-app", git_sha=SHA, tags=("sha-0",))
        listing.delete("slipway-app", digest)
        client = Client(registry)
        for reference in ("sha-0", digest):
            response = client.get(f"/manifests/{reference}")
            assert response.status_code == 404
            assert codes(response) == ["MANIFEST_UNKNOWN"]
        assert codes(client.get("/tags/list")) == ["NAME_UNKNOWN"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", DOCKER_TYPES[0], f"{INDEX_TYPE}, {DOCKER_TYPES[0]}"])
def test_a_manifest_type_that_is_not_accepted_is_not_found(registry: OciRegistry, client: Client, accept: str) -> None:
    digest = registry.push_image("slipway-app", git_sha=SHA)
    response = client.get(f"/manifests/{digest}", Accept=accept)
    assert response.status_code == 404
    assert codes(response) == ["MANIFEST_UNKNOWN"]
    assert client.get(f"/manifests/{digest}", Accept=f"{accept}, {READABLE}").is_success


def test_a_manifest_is_put_under_its_own_digest_only(registry: OciRegistry, client: Client) -> None:
    digest = registry.push_image("slipway-app", git_sha=SHA)
    content = client.get(f"/manifests/{digest}").content
    assert client.put(digest, content).status_code == 201
    response = client.put(digest, content + b"\n")
    assert response.status_code == 400
    assert codes(response) == ["DIGEST_INVALID"]


def test_a_manifest_is_refused_before_its_blobs(registry: OciRegistry, client: Client) -> None:
    digest = registry.push_image("slipway-web", git_sha=SHA)
    web = Client(registry, "slipway-web")
    content = web.get(f"/manifests/{digest}").content
    refused = client.put("sha-0", content)
    assert refused.status_code == 400
    assert codes(refused) == ["MANIFEST_BLOB_UNKNOWN"] * 2
    parts = [json.loads(content)["config"], *json.loads(content)["layers"]]
    assert upload(client, blob(web, parts[0])).status_code == 201
    mounted = client.http.post(
        "/v2/slipway-app/blobs/uploads/", params={"mount": parts[1]["digest"], "from": "slipway-web"}
    )
    assert mounted.status_code == 201
    assert client.put("sha-0", content).status_code == 201
    assert registry.tags("slipway-app") == {"sha-0": digest}


def test_a_blob_with_another_digest_is_refused(client: Client) -> None:
    response = upload(client, b"layer", digest_of(b"another"))
    assert response.status_code == 400
    assert codes(response) == ["DIGEST_INVALID"]
    assert codes(client.get(f"/blobs/{digest_of(b'layer')}")) == ["BLOB_UNKNOWN"]


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"no JSON", OCI_TYPES[0]), (b'{"schemaVersion":2}', OCI_TYPES[0]), (b"", DOCKER_TYPES[0]), (b"", "")],
)
def test_an_invalid_manifest_is_refused(registry: OciRegistry, client: Client, content: bytes, media_type: str) -> None:
    digest = registry.push_image("slipway-app", git_sha=SHA)
    response = client.put("sha-0", content or client.get(f"/manifests/{digest}").content, media_type)
    assert response.status_code == 400
    assert codes(response) == ["MANIFEST_INVALID"]


def test_tags_are_paginated(registry: OciRegistry, client: Client) -> None:
    registry.push_image("slipway-app", git_sha=SHA, tags=("b", "a", "e", "c", "d"))
    assert client.get("/tags/list").json() == {"name": "slipway-app", "tags": ["a", "b", "c", "d", "e"]}
    pages, path = [], "/v2/slipway-app/tags/list?n=2"
    while path:
        response = client.http.get(path)
        pages.append(response.json()["tags"])
        path = response.links.get("next", {}).get("url", "")
    assert pages == [["a", "b"], ["c", "d"], ["e"]]


def test_paths_of_other_accounts_are_refused() -> None:
    with oci_registry(namespace="slipway") as registry:
        assert registry.prefix == f"{registry.url.removeprefix('http://')}/slipway/"
        digest = registry.push_image("slipway-app", git_sha=SHA)
        mine, other = Client(registry, "slipway/slipway-app"), Client(registry, "other/slipway-app")
        content = mine.get(f"/manifests/{digest}").content
        assert codes(other.get(f"/manifests/{digest}")) == ["MANIFEST_UNKNOWN"]
        assert other.put("sha-0", content).status_code == 403
        assert mine.put("sha-0", content).status_code == 201


def blob(client: Client, descriptor: dict[str, Any]) -> bytes:
    """Return a blob, and check it against its descriptor."""
    content = client.get(f"/blobs/{descriptor['digest']}").content
    assert digest_of(content) == descriptor["digest"]
    assert len(content) == descriptor["size"]
    return content


def upload(client: Client, content: bytes, digest: str = "") -> httpx.Response:
    """Upload a blob in two steps."""
    started = client.http.post(f"{client.base}/blobs/uploads/")
    place = httpx.URL(started.headers["location"]).copy_merge_params({"digest": digest or digest_of(content)})
    return client.http.put(place, content=content)
