"""Client of the image registry: reads the digest of a tag and the labels of an image, and adds tags.

Implements the OCI Distribution Specification 1.1. The registry names a token server in `WWW-Authenticate`, which
returns a token for the account's name and password.
"""

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any

import httpx

from scripts.deploy.errors import ExternalError, Refused
from scripts.deploy.system import System

MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
LOGIN_HINT = "check that DIGITALOCEAN_ACCESS_TOKEN or FLY_API_TOKEN may push to it"
PLAIN_HTTP = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")


@dataclass(slots=True)
class Registry:
    """One registry; `prefix` is a host and an optional path, such as `registry.digitalocean.com/studio/`."""

    system: System
    prefix: str
    username: str = ""
    password: str = field(default="", repr=False)
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.prefix.partition("/")[0]

    def digest(self, repository: str, tag: str) -> str | None:
        """Return the digest of a tag, or None when there is no such tag. Raises ExternalError."""
        response = self._manifest(repository, tag)
        return _digest(response.content) if response else None

    def labels(self, repository: str, digest: str) -> dict[str, str]:
        """Return an image's labels. Raises Refused when it is missing or not an image, and ExternalError."""
        response = self._manifest(repository, digest)
        if response is None:
            raise Refused(f"{self.prefix}{repository} has no image {digest}: build it with make deploy-staging")
        manifest = response.json()
        if "config" not in manifest:
            hint = "it is an index of several images; make deploy-staging builds a single one"
            raise Refused(f"{self.prefix}{repository}@{digest} can't be deployed: {hint}")
        config = self._get(repository, f"blobs/{manifest['config']['digest']}", follow_redirects=True)
        return dict(_expected(config).json().get("config", {}).get("Labels") or {})

    def tag(self, repository: str, digest: str, tag: str) -> None:
        """Add a tag to a digest. Raises Refused when the tag names another digest, and ExternalError."""
        named = self.digest(repository, tag)
        if named == digest:
            return
        if named:
            raise Refused(f"{self.prefix}{repository}:{tag} names another image, {named}; tags of releases never move")
        manifest = self._manifest(repository, digest)
        if manifest is None:
            raise Refused(f"{self.prefix}{repository} has no image {digest}")
        try:
            self._put(repository, tag, manifest)
        except ExternalError:
            # The tag may have been set although the response was lost.
            if self.digest(repository, tag) != digest:
                raise

    def _put(self, repository: str, tag: str, manifest: httpx.Response) -> None:
        kind = {"content-type": manifest.headers["content-type"]}
        url = self._url(repository, f"manifests/{tag}")
        response = self.system.send("PUT", url, kind | self._login(repository), content=manifest.content)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._authenticate(response, repository)
            response = self.system.send("PUT", url, kind | self._login(repository), content=manifest.content)
        _expected(response)

    def _manifest(self, repository: str, reference: str) -> httpx.Response | None:
        response = self._get(repository, f"manifests/{reference}", headers={"accept": ", ".join(MANIFESTS)})
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        _expected(response)
        if ":" in reference and _digest(response.content) != reference:
            raise ExternalError(f"{self.prefix}{repository}@{reference}: the registry returned different content")
        return response

    def _get(self, repository: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        url = self._url(repository, path)
        response = self.system.get(url, {**(headers or {}), **self._login(repository)}, **more)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._authenticate(response, repository)
            response = self.system.get(url, {**(headers or {}), **self._login(repository)}, **more)
        return response

    def _authenticate(self, response: httpx.Response, repository: str) -> None:
        """Get a token from the token server in the response; without one, use the password itself."""
        challenge = dict(re.findall(r'(\w+)="([^"]*)"', response.headers.get("www-authenticate", "")))
        login = b64encode(f"{self.username}:{self.password}".encode()).decode() if self.password else ""
        basic = {"authorization": f"Basic {login}"} if login else {}
        if "realm" not in challenge or not response.headers["www-authenticate"].lower().startswith("bearer"):
            self._tokens[repository] = basic.get("authorization", "")
            return
        if not challenge["realm"].startswith("https:") and not PLAIN_HTTP.fullmatch(self.host):
            raise ExternalError(f"{self.host} names a token server without https: no login is sent there")
        scope = f"repository:{self._name(repository)}:pull,push"
        query = {"service": challenge.get("service", ""), "scope": scope}
        response = self.system.get(challenge["realm"], basic, params=query)
        if not response.is_success:
            raise ExternalError(f"{self.host} refused the login ({response.status_code}): {LOGIN_HINT}")
        document = response.json()
        self._tokens[repository] = f"Bearer {document.get('token') or document['access_token']}"

    def _login(self, repository: str) -> dict[str, str]:
        token = self._tokens.get(repository)
        return {"authorization": token} if token else {}

    def _name(self, repository: str) -> str:
        return f"{self.prefix.partition('/')[2]}{repository}"

    def _url(self, repository: str, path: str) -> str:
        scheme = "http" if PLAIN_HTTP.fullmatch(self.host) else "https"
        return f"{scheme}://{self.host}/v2/{self._name(repository)}/{path}"


def platform_registry(system: System, prefix: str, host: str, username: str, token: str) -> Registry:
    """Return the registry of a prefix; the token is sent only to the platform's own host and to this machine."""
    named = prefix.partition("/")[0]
    trusted = named == host or PLAIN_HTTP.fullmatch(named)
    return Registry(system, prefix, username if trusted else "", token if trusted else "")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _expected(response: httpx.Response) -> httpx.Response:
    if not response.is_success:
        request = f"{response.request.method} {response.request.url.host}{response.request.url.path}"
        hint = f": {LOGIN_HINT}" if response.status_code in (401, 403) else ""
        raise ExternalError(f"{request} returned {response.status_code}{hint}", status=response.status_code)
    return response
