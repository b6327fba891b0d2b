"""What is rehearsed: this commit, the next, and two releases that pass staging and are broken in production."""

import base64
import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.rehearsal.containers import SLOW, docker

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES = ("app", "web")
# Appended to a file of the application; staging runs them without harm, as with a fault that only production shows.
NEVER_READY = """
import os

def _never_ready(self):
    raise NotReady("This release never becomes ready.")

if os.environ["ENVIRONMENT"] == "production":
    HealthChecks.require_schema = _never_ready
"""
WITHOUT_HEADERS = """
import os

_with_all_headers = _security_headers

def _security_headers(policy, https):
    headers = _with_all_headers(policy, https)
    return headers[3:] if os.environ["ENVIRONMENT"] == "production" else headers
"""
FAULTS = {
    "never ready": ("backend/web/health.py", NEVER_READY),
    "failing smoke test": ("backend/web/browser_policy.py", WITHOUT_HEADERS),
}


@dataclass(frozen=True)
class Release:
    """Both images of one commit, in the registry."""

    name: str
    git_sha: str

    @property
    def built(self) -> str:
        """The tag it was pushed with."""
        return f"sha-{self.git_sha[:12]}"

    @property
    def tested(self) -> str:
        """The tag it carries once staging's smoke test passed."""
        return f"tested-{self.git_sha[:12]}"


def first_release() -> Release:
    """Return the commit that is checked out. Raises CalledProcessError."""
    command = ["git", "rev-parse", "HEAD"]
    head = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=10).stdout.strip()
    return Release("first", head)


def push_first(image_prefix: str, first: Release) -> None:
    """Build and push what lies in the folder, where the deploy tool would refuse. Raises what these raise."""
    command = [sys.executable, "-m", "scripts.images", "--tag", first.built]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "IMAGE_PREFIX": image_prefix}, check=True, timeout=1800)
    _push(image_prefix, first)


def push_others(image_prefix: str, first: Release) -> dict[str, Release]:
    """Build and push the releases that follow the first, whose images are here; return all. Raises DockerError."""
    # Commits that nobody made.
    ids = {name: hashlib.sha1(f"{first.git_sha} {name}".encode()).hexdigest() for name in ("next", *FAULTS)}
    others = [Release(name, git_sha) for name, git_sha in ids.items()]
    for release in others:
        for image in IMAGES:
            _derive(image_prefix, image, first, release)
        _push(image_prefix, release)
    return {release.name: release for release in (first, *others)}


def _push(image_prefix: str, release: Release) -> None:
    for image in IMAGES:
        docker("push", "--quiet", f"{image_prefix}slipway-{image}:{release.built}", seconds=SLOW)


def _derive(image_prefix: str, image: str, first: Release, release: Release) -> None:
    """Make a release's image out of the first one's, as thin as can be."""
    repository = f"{image_prefix}slipway-{image}"
    lines = [
        f"FROM {repository}:{first.built}",
        f"LABEL org.opencontainers.image.revision={release.git_sha}",
    ]
    if image == "app":
        lines.append(f"ENV GIT_SHA={release.git_sha}")
        if release.name in FAULTS:
            path, text = FAULTS[release.name]
            encoded = base64.b64encode(text.encode()).decode()
            lines += ["USER 0", f"RUN echo {encoded} | base64 -d >> {path}", "USER 10001"]
    docker("build", "--quiet", "--tag", f"{repository}:{release.built}", "-", seconds=SLOW, stdin="\n".join(lines))
