"""The registry's client: logins, and responses that must not be trusted."""

from collections.abc import Iterator

import httpx
import pytest

from scripts.deploy.errors import ExternalError, Refused
from scripts.deploy.registry import Registry
from scripts.deploy.releases import commit_of, find_release
from scripts.deploy.system import System
from tests.scripts.deploy.app_platform.account import NEW, OLD
from tests.scripts.deploy.tool import Clock
from tests.simulators.registry.server import DIGITALOCEAN, FLY, OciRegistry, oci_registry


@pytest.fixture
def system() -> System:
    clock = Clock()
    return System(clock.sleep, clock)


@pytest.fixture
def basic() -> Iterator[OciRegistry]:
    with oci_registry(credentials=FLY, scheme="Basic") as registry:
        yield registry


def test_basic_login_is_used_without_a_token_server(basic: OciRegistry, system: System) -> None:
    digest = basic.push_image("slipway-app", git_sha=NEW, tags=("sha-1",))
    client = Registry(system, basic.prefix, *FLY)
    assert client.digest("slipway-app", "sha-1") == digest
    client.tag("slipway-app", digest, "tested-1")
    assert basic.tags("slipway-app")["tested-1"] == digest
    assert FLY[1] not in repr(client)


def test_a_wrong_login_is_reported(basic: OciRegistry, system: System) -> None:
    basic.push_image("slipway-app", git_sha=NEW, tags=("sha-1",))
    with pytest.raises(ExternalError, match="returned 401: check that DIGITALOCEAN_ACCESS_TOKEN"):
        Registry(system, basic.prefix, "x", "wrong").digest("slipway-app", "sha-1")


def test_a_public_registry_gets_no_login(system: System) -> None:
    with oci_registry() as registry:
        digest = registry.push_image("slipway-app", git_sha=NEW, tags=("sha-1",))
        client = Registry(system, registry.prefix, *DIGITALOCEAN)
        assert client.labels("slipway-app", digest)["org.opencontainers.image.revision"] == NEW
        assert client.digest("slipway-app", "sha-2") is None
        assert client.digest("slipway-web", "sha-1") is None


def test_a_manifest_that_does_not_match_its_digest_is_rejected(basic: OciRegistry, system: System) -> None:
    digest = basic.push_image("slipway-app", git_sha=NEW)
    other = basic.push_image("slipway-app", git_sha=OLD)
    store = basic.http.store
    store.manifests["slipway-app", digest].content = store.manifests["slipway-app", other].content
    with pytest.raises(ExternalError, match="the registry returned different content"):
        Registry(system, basic.prefix, *FLY).labels("slipway-app", digest)


def test_a_token_server_that_is_not_https_gets_no_login() -> None:
    class Elsewhere(System):
        requested: list[str] = []

        def get(self, url: str, *arguments: object, **more: object) -> httpx.Response:
            self.requested.append(url)
            challenge = {"www-authenticate": 'Bearer realm="http://tokens.example.org/token",service="r"'}
            return httpx.Response(401, headers=challenge, request=httpx.Request("GET", url))

    with pytest.raises(ExternalError, match="names a token server without https: no login is sent there"):
        Registry(Elsewhere(), "registry.example.org/x/", *DIGITALOCEAN).digest("slipway-app", "sha-1")
    assert Elsewhere.requested == ["https://registry.example.org/v2/x/slipway-app/manifests/sha-1"]


def test_a_release_needs_all_images_and_their_commit(basic: OciRegistry, system: System) -> None:
    client = Registry(system, basic.prefix, *FLY)
    basic.push_image("slipway-app", git_sha=NEW, schema="0007", tags=(f"sha-{NEW[:12]}",))
    assert find_release(client, ["slipway-app", "slipway-web"], NEW[:12], "sha") is None
    release = find_release(client, ["slipway-app"], NEW[:12], "sha")
    assert release
    assert release.git_sha == NEW
    assert release.schema == "0007"
    basic.push_image("slipway-app", git_sha="", tags=(f"sha-{OLD[:12]}",))
    with pytest.raises(Refused, match="was built from "):
        find_release(client, ["slipway-app"], OLD[:12], "sha")


@pytest.mark.parametrize("tag", [NEW, NEW[:12], *(f"{kind}-{NEW[:12]}" for kind in ("sha", "tested", "production"))])
def test_a_tag_names_its_commit(system: System, tag: str) -> None:
    assert commit_of(tag, system) == NEW[:12]


@pytest.mark.parametrize(
    "tag", ["", "main", "HEAD", NEW[:11], NEW.upper(), f"{NEW}0", f"release-{NEW[:12]}", "v1", "--all"]
)
def test_a_tag_that_names_no_release_is_refused(system: System, tag: str) -> None:
    with pytest.raises(Refused, match="is not a release"):
        commit_of(tag, system)
