"""The operations of the OCI Distribution Specification that read, tag, push and pull images."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from tests.simulators.registry.errors import Json, RegistryError
from tests.simulators.registry.image import DOCKER_TYPES
from tests.simulators.registry.store import Store

PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REFERENCE = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|sha256:[a-z0-9]+|"
PATH = re.compile(
    rf"/v2/(?P<name>{PART}(?:/{PART})*)/(?P<kind>manifests|blobs/uploads|blobs|tags)/(?P<reference>{REFERENCE})"
)


@dataclass(frozen=True)
class Call:
    """A request about a repository; `url` is the registry's own address."""

    method: str
    name: str
    kind: str
    reference: str
    url: str = ""
    query: QueryParams = field(default_factory=QueryParams)
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def action(self) -> str:
        """The right that the request needs."""
        return "pull" if self.method in ("GET", "HEAD") else "push"


def respond(store: Store, call: Call) -> Response:
    """Raises RegistryError."""
    method = "GET" if call.method == "HEAD" else call.method
    if (method, call.kind) not in OPERATIONS:
        raise RegistryError("UNSUPPORTED")
    if call.action == "push" and not store.owns(call.name):
        raise RegistryError("DENIED")
    return OPERATIONS[method, call.kind](store, call)


def get_manifest(store: Store, call: Call) -> Response:
    """Return a manifest of a media type that the Accept header names."""
    manifest = store.manifest(call.name, call.reference)
    accepted = [part.split(";")[0].strip() for line in call.headers.getlist("accept") for part in line.split(",")]
    # Docker's registry, which many hosts use, does not treat */* as a match. If schema 2 is not accepted, it converts a
    # tagged manifest to schema 1, with another digest; here that manifest is not found.
    by_digest = manifest.media_type == DOCKER_TYPES[0] and call.reference == manifest.digest
    if manifest.media_type not in accepted and not by_digest:
        raise RegistryError("MANIFEST_UNKNOWN", f"{manifest.media_type} found, but the accept header does not name it")
    headers = {"docker-content-digest": manifest.digest, "content-type": manifest.media_type}
    return Response(manifest.content, headers=headers)


def put_manifest(store: Store, call: Call) -> Response:
    media_type = call.headers.get("content-type", "").split(";")[0].strip()
    digest = store.put_manifest(call.name, call.reference, call.body, media_type)
    return created(call, "manifests", digest)


def list_tags(store: Store, call: Call) -> Response:
    """Return pages of `n` tags after the tag `last`."""
    if call.reference != "list":
        raise RegistryError("UNSUPPORTED")
    count = call.query.get("n")
    if count is not None and not count.isdecimal():
        raise RegistryError("PAGINATION_NUMBER_INVALID", {"n": count})
    after = [tag for tag in sorted(store.tags(call.name)) if tag > call.query.get("last", "")]
    page = after if count is None else after[: int(count)]
    headers = {}
    if page and len(page) < len(after):
        headers["link"] = f'</v2/{call.name}/tags/list?last={page[-1]}&n={count}>; rel="next"'
    return Json({"name": call.name, "tags": page}, headers=headers)


def get_blob(store: Store, call: Call) -> Response:
    headers = {"docker-content-digest": call.reference, "content-type": "application/octet-stream"}
    return Response(store.blob(call.name, call.reference), headers=headers)


def start_upload(store: Store, call: Call) -> Response:
    """Start an upload, or mount a blob from another repository."""
    source, digest = call.query.get("from", ""), call.query.get("mount", "")
    if (source, digest) in store.blobs:
        store.put_blob(call.name, store.blobs[source, digest], digest)
        return created(call, "blobs", digest)
    return upload_in_progress(call, store.start_upload(), 0)


def continue_upload(store: Store, call: Call) -> Response:
    """PATCH the address that `start_upload` returned."""
    return upload_in_progress(call, call.reference, store.upload(call.reference, call.body))


def finish_upload(store: Store, call: Call) -> Response:
    """PUT the address that `start_upload` returned, with the rest and the digest of the whole blob."""
    store.upload(call.reference, call.body)
    digest = call.query.get("digest", "")
    store.put_blob(call.name, store.uploads[call.reference], digest)
    del store.uploads[call.reference]
    return created(call, "blobs", digest)


def created(call: Call, kind: str, digest: str) -> Response:
    """Return 201 with the address and the digest of the new object."""
    headers = {"location": f"{call.url}/v2/{call.name}/{kind}/{digest}", "docker-content-digest": digest}
    return Response(status_code=201, headers=headers)


def upload_in_progress(call: Call, upload: str, size: int) -> Response:
    """Return 202 with the address where the upload continues; as in most registries, it has a query."""
    location = f"{call.url}/v2/{call.name}/blobs/uploads/{upload}?_state={upload}"
    headers = {"location": location, "range": f"0-{max(size - 1, 0)}", "docker-upload-uuid": upload}
    return Response(status_code=202, headers=headers)


OPERATIONS: dict[tuple[str, str], Callable[[Store, Call], Response]] = {
    ("GET", "manifests"): get_manifest,
    ("PUT", "manifests"): put_manifest,
    ("GET", "tags"): list_tags,
    ("GET", "blobs"): get_blob,
    ("POST", "blobs/uploads"): start_upload,
    ("PATCH", "blobs/uploads"): continue_upload,
    ("PUT", "blobs/uploads"): finish_upload,
}
