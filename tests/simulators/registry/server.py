"""Serves the registry on a socket of 127.0.0.1, and lets a test push to it, break it and read its requests."""

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

# DigitalOcean takes its API token as both, Fly any token of its with the name x.
DIGITALOCEAN = ("do-test-token", "do-test-token")
FLY = ("x", "fly-test-token")


@dataclass
class OciRegistry:
    """The registry of one test: `prefix` for the tool, the rest for the test."""

    http: HttpApi

    @property
    def url(self) -> str:
        """The registry's address."""
        return self.http.url

    @property
    def prefix(self) -> str:
        """What stands before an image's name, up to and with the last slash."""
        return "/".join(part for part in (self.url.removeprefix("http://"), self.http.store.namespace) if part) + "/"

    @property
    def faults(self) -> Faults:
        """The faults to come."""
        return self.http.faults

    @property
    def guard(self) -> Guard:
        """Who may do what."""
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
        """Put an image there without a request, and return its digest; with `index`, that of an index around it.

        `docker` makes manifests of Docker's own kind, as `docker push` does. `schema=None` leaves the label out.
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
        """Return an image's tags with the digests they name."""
        return self.http.store.tags(self._name(image))

    def seen(self, method: str, ending: str = "") -> list[Seen]:
        """Return the requests of a method whose path ends so."""
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
    """Serve a registry of its own, for everybody or for the credentials given.

    `manifests` is the App Platform's list of images, which is this registry's list too. `namespace` is the path below
    the host, like the registry's name at DigitalOcean. Fly asks for HTTP Basic, DigitalOcean for a token (Bearer).
    """
    listing = Repositories() if manifests is None else manifests
    http = HttpApi(Store(listing, namespace), Guard(credentials, scheme))
    with serve(http) as http.url:
        yield OciRegistry(http)
