"""Serves the registry on 127.0.0.1, and lets a test push images, simulate faults and read its requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from tests.simulators.faults import Faults
from tests.simulators.registry.guard import Credentials, Guard
from tests.simulators.registry.http import HttpApi, Seen
from tests.simulators.registry.image import put_image, put_index
from tests.simulators.registry.repositories import Repositories
from tests.simulators.registry.store import Store
from tests.simulators.serving import serve

# DigitalOcean expects its API token as user name and password, Fly its token with the user name x.
DIGITALOCEAN = ("do-test-token", "do-test-token")
FLY = ("x", "fly-test-token")


@dataclass
class OciRegistry:
    """One test's registry: the tool uses `prefix`, the test everything else."""

    http: HttpApi

    @property
    def url(self) -> str:
        return self.http.url

    @property
    def prefix(self) -> str:
        """The part before an image's name, including the last slash."""
        return "/".join(part for part in (self.url.removeprefix("http://"), self.http.store.namespace) if part) + "/"

    @property
    def faults(self) -> Faults:
        return self.http.faults

    @property
    def guard(self) -> Guard:
        return self.http.guard

    def push_image(
        self,
        image: str,
        *,
        git_sha: str,
        schema: str | None = "0004",
        version: str = "0.1.0",
        tags: tuple[str, ...] = (),
        architecture: str = "amd64",
        docker: bool = False,
        index: bool = False,
    ) -> str:
        """Add an image without a request and return its digest; with `index`, the digest of an index around it.

        `docker` creates manifests with Docker's media types, as `docker push` does. `schema=None` omits the label.
        """
        store, name = self.http.store, self._name(image)
        labels = {"org.opencontainers.image.revision": git_sha, "org.opencontainers.image.version": version}
        labels |= {"slipway.schema": schema} if schema is not None else {}
        digest = put_image(store, name, labels, architecture, docker)
        if index:
            digest = put_index(store, name, digest)
        manifest = store.manifest(name, digest)
        for tag in tags:
            store.put_manifest(name, tag, manifest.content, manifest.media_type)
        return digest

    def tags(self, image: str) -> dict[str, str]:
        """Map each tag of an image to its digest."""
        return self.http.store.tags(self._name(image))

    def seen(self, method: str, ending: str = "") -> list[Seen]:
        """Return the requests of a method whose path has this ending."""
        return [seen for seen in self.http.seen if seen.method == method and seen.path.endswith(ending)]

    def _name(self, image: str) -> str:
        namespace = self.http.store.namespace
        return f"{namespace}/{image}" if namespace else image


@contextmanager
def oci_registry(
    manifests: Repositories | None = None,
    *,
    namespace: str = "",
    credentials: Credentials | None = None,
    scheme: Literal["Bearer", "Basic"] = "Bearer",
) -> Iterator[OciRegistry]:
    """Serve a new registry, public or with the given credentials.

    `manifests` is the simulated App Platform's list of images, shared with this registry. `namespace` is the path below
    the host, as the registry's name at DigitalOcean. Fly requires HTTP Basic, DigitalOcean a token (Bearer).
    """
    listing = Repositories() if manifests is None else manifests
    http = HttpApi(Store(listing, namespace), Guard(credentials, scheme))
    with serve(http) as http.url:
        yield OciRegistry(http)
