"""The registry of the images: which digest a tag names, what an image says of itself, and new tags for it.

Speaks the OCI Distribution Specification 1.1, and logs in as its clients do: the registry names a token server in
`WWW-Authenticate`, which gives a token for the account's name and password.
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
LOGIN_HINT = "is DIGITALOCEAN_ACCESS_TOKEN, or FLY_API_TOKEN, that of an account which may write there?"
PLAIN_HTTP = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?")


@dataclass(slots=True)
class Registry:
    """One registry; `prefix` is a host and perhaps a path, such as `registry.digitalocean.com/studio/`."""

    system: System
    prefix: str
    username: str = ""
    password: str = field(default="", repr=False)
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The registry's host, with its port."""
        return self.prefix.partition("/")[0]

    def digest(self, repository: str, tag: str) -> str | None:
        """Return the digest a tag names, None when there is no such tag. Raises ExternalError."""
        answer = self._manifest(repository, tag)
        return _digest(answer.content) if answer else None

    def labels(self, repository: str, digest: str) -> dict[str, str]:
        """Return an image's labels. Raises Refused when it is none, or gone, and ExternalError."""
        answer = self._manifest(repository, digest)
        if answer is None:
            raise Refused(f"{self.prefix}{repository} has no image {digest}: build it with make deploy-staging")
        manifest = answer.json()
        if "config" not in manifest:
            hint = "it is an index of several images; build it with make deploy-staging, which makes one"
            raise Refused(f"{self.prefix}{repository}@{digest} can't be deployed: {hint}")
        config = self._get(repository, f"blobs/{manifest['config']['digest']}", follow_redirects=True)
        return dict(_expected(config).json().get("config", {}).get("Labels") or {})

    def tag(self, repository: str, digest: str, tag: str) -> None:
        """Give a digest one more tag. Raises Refused when the tag names another digest, and ExternalError."""
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
            # A lost answer says nothing; the registry does.
            if self.digest(repository, tag) != digest:
                raise

    def _put(self, repository: str, tag: str, manifest: httpx.Response) -> None:
        kind = {"content-type": manifest.headers["content-type"]}
        url = self._url(repository, f"manifests/{tag}")
        answer = self.system.send("PUT", url, kind | self._login(repository), content=manifest.content)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._authenticate(answer, repository)
            answer = self.system.send("PUT", url, kind | self._login(repository), content=manifest.content)
        _expected(answer)

    def _manifest(self, repository: str, reference: str) -> httpx.Response | None:
        answer = self._get(repository, f"manifests/{reference}", headers={"accept": ", ".join(MANIFESTS)})
        if answer.status_code == httpx.codes.NOT_FOUND:
            return None
        _expected(answer)
        if ":" in reference and _digest(answer.content) != reference:
            raise ExternalError(f"{self.prefix}{repository}@{reference}: the registry sent something else")
        return answer

    def _get(self, repository: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
        url = self._url(repository, path)
        answer = self.system.get(url, {**(headers or {}), **self._login(repository)}, **more)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._authenticate(answer, repository)
            answer = self.system.get(url, {**(headers or {}), **self._login(repository)}, **more)
        return answer

    def _authenticate(self, refusal: httpx.Response, repository: str) -> None:
        """Get a token as the refusal says, to read and to tag; without a token server the password is sent itself."""
        challenge = dict(re.findall(r'(\w+)="([^"]*)"', refusal.headers.get("www-authenticate", "")))
        login = b64encode(f"{self.username}:{self.password}".encode()).decode() if self.password else ""
        basic = {"authorization": f"Basic {login}"} if login else {}
        if "realm" not in challenge or not refusal.headers["www-authenticate"].lower().startswith("bearer"):
            self._tokens[repository] = basic.get("authorization", "")
            return
        if not challenge["realm"].startswith("https:") and not PLAIN_HTTP.fullmatch(self.host):
            raise ExternalError(f"{self.host} names a token server that is not https: nothing is sent there")
        scope = f"repository:{self._name(repository)}:pull,push"
        asked = {"service": challenge.get("service", ""), "scope": scope}
        answer = self.system.get(challenge["realm"], basic, params=asked)
        if not answer.is_success:
            raise ExternalError(f"{self.host} refuses the login ({answer.status_code}): {LOGIN_HINT}")
        document = answer.json()
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
    """Return the registry of a prefix; only the platform's own host, and this machine, are shown the token."""
    named = prefix.partition("/")[0]
    shown = named == host or PLAIN_HTTP.fullmatch(named)
    return Registry(system, prefix, username if shown else "", token if shown else "")


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _expected(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        place = f"{answer.request.method} {answer.request.url.host}{answer.request.url.path}"
        hint = f": {LOGIN_HINT}" if answer.status_code in (401, 403) else ""
        raise ExternalError(f"{place} answered {answer.status_code}{hint}", status=answer.status_code)
    return answer
