"""Releases: the images of one commit, identified by tags and digests in the registry."""

import json
import os
import re
import shutil
import sys
import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.deploy.errors import ExternalError, Refused
from scripts.deploy.registry import Registry
from scripts.deploy.report import Report
from scripts.deploy.system import System

SHORT = 12
REVISION = "org.opencontainers.image.revision"
SCHEMA = "slipway.schema"
TAG = re.compile(r"(?:sha-|tested-|production-)?([0-9a-f]{12,40})")
COMMIT = re.compile(r"[0-9a-f]{40}")
VERSION = re.compile(r"v\d+\.\d+\.\d+")
# The architecture of App Platform and of Fly's Machines.
ARCHITECTURE = "linux/amd64"


@dataclass(frozen=True, slots=True)
class Release:
    """The images of one commit: `images` is repository to digest, `schema` the newest migration in them."""

    git_sha: str
    schema: str
    images: dict[str, str]


def commit_of(tag: str, system: System) -> str:
    """Return the first 12 characters of a tag's commit: `tested-<commit>`, `<commit>`, or git's `v1.2.3`.

    Raises Refused for any other tag, also for a tag of uncommitted changes.
    """
    if VERSION.fullmatch(tag):
        found = system.run(["git", "rev-parse", "--verify", "--quiet", f"refs/tags/{tag}^{{commit}}"])
        if found.code:
            raise Refused(f"There is no git tag {tag} here: git fetch --tags")
        return found.out[:SHORT]
    known = TAG.fullmatch(tag)
    if not known:
        hint = ": it was built from uncommitted changes" if tag.endswith("-dirty") else ""
        raise Refused(
            f"TAG={tag} is not a release{hint}. Use one such as tested-<commit>; see: make status ENV=staging"
        )
    return known[1][:SHORT]


def checked_out_commit(system: System) -> str:
    """Return the first 12 characters of the checked-out commit. Raises Refused when files were changed."""
    changed = system.run(["git", "status", "--porcelain"])
    if changed.code:
        raise Refused("This folder is not a git repository, so the build has no commit: clone it with git")
    if changed.out:
        names = ", ".join(line[3:] for line in changed.out.splitlines()[:5])
        raise Refused(f"These changes are not committed: {names}. Commit or stash them; only a commit can be deployed")
    return system.run(["git", "rev-parse", "HEAD"]).out[:SHORT]


def find_release(registry: Registry, repositories: Sequence[str], commit: str, kind: str) -> Release | None:
    """Return the release whose images have the tag `<kind>-<commit>`, or None when one of them is missing.

    Raises Refused when an image was built from another commit than its tag says.
    """
    images, labels = {}, {}
    for repository in repositories:
        digest = registry.digest(repository, f"{kind}-{commit}")
        if digest is None:
            return None
        images[repository] = digest
        labels[repository] = registry.labels(repository, digest)
        if not _revision(labels[repository]).startswith(commit):
            named = _revision(labels[repository])[:SHORT] or "no commit"
            raise Refused(f"{registry.prefix}{repository}:{kind}-{commit} was built from {named}: its tag is wrong")
    first = labels[repositories[0]]
    return Release(first[REVISION], first.get(SCHEMA, ""), images)


def commit_of_images(registry: Registry, images: Mapping[str, str]) -> str:
    """Return the full commit in an image's labels, or "" when the registry no longer has the image."""
    repository, digest = next(iter(images.items()))
    try:
        return _revision(registry.labels(repository, digest))
    except Refused:
        return ""


def passed_smoke_test(registry: Registry, images: Mapping[str, str], kind: str) -> bool:
    """Return whether all images have the tag `<kind>-<commit>`, which they get after their smoke test."""
    commit = commit_of_images(registry, images)
    if not commit:
        return False
    tag = f"{kind}-{commit[:SHORT]}"
    return all(registry.digest(repository, tag) == digest for repository, digest in images.items())


def _revision(labels: Mapping[str, str]) -> str:
    """Return the commit of an image, or "" for an invalid label, because it becomes an argument of git."""
    found = COMMIT.fullmatch(labels.get(REVISION, ""))
    return found[0] if found else ""


def tag_images(registry: Registry, release: Release, tag: str) -> None:
    """Add a tag to every image of a release. Raises Refused when the tag already names another image."""
    for repository, digest in release.images.items():
        registry.tag(repository, digest, tag)


def build(system: System, report: Report, registry: Registry, commit: str, images: Mapping[str, str]) -> None:
    """Build the images, name to repository, and push them as `sha-<commit>`. Raises Refused or ExternalError."""
    if not shutil.which("docker"):
        raise Refused("docker is not installed, so no images can be built. TAG=<commit> uses existing images")
    tag = f"sha-{commit}"
    command = [sys.executable, "-m", "scripts.images", "--tag", tag, "--platform", ARCHITECTURE, *images]
    if system.run(command, env={"IMAGE_PREFIX": registry.prefix}, each=report.quote).code:
        raise ExternalError("The images could not be built; see docker's output above")
    with tempfile.TemporaryDirectory(prefix="slipway-login-") as folder:
        environment = _login(system, registry, Path(folder))
        for image, repository in images.items():
            _push(
                system,
                report,
                f"{registry.prefix}slipway-{image}:{tag}",
                f"{registry.prefix}{repository}:{tag}",
                environment,
            )


def _login(system: System, registry: Registry, folder: Path) -> dict[str, str]:
    """Return the environment that logs Docker in for one command. It is not stored and is in no argument list.

    DOCKER_CONFIG hides the user's Docker context, so DOCKER_HOST names its engine.
    """
    if not registry.password:
        return {}
    login = b64encode(f"{registry.username}:{registry.password}".encode()).decode()
    path = folder / "config.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"auths": {registry.host: {"auth": login}}}))
    command = ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    engine = os.environ.get("DOCKER_HOST") or system.run(command).out.strip()
    return {"DOCKER_CONFIG": str(folder)} | ({"DOCKER_HOST": engine} if engine else {})


def _push(system: System, report: Report, built: str, name: str, environment: dict[str, str]) -> None:
    if built != name and system.run(["docker", "tag", built, name]).code:
        raise ExternalError(f"docker tag {built} {name} failed")
    report.say(f"  pushing {name}")
    if system.run(["docker", "push", "--quiet", name], env=environment, each=report.quote).code:
        raise ExternalError(f"{name} could not be pushed; see docker's output above")
