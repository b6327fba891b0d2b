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
    "never ready": ("backend/health.py", NEVER_READY),
    "failing smoke test": ("backend/browser_policy.py", WITHOUT_HEADERS),
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


def push_releases(image_prefix: str) -> dict[str, Release]:
    """Build and push all releases; return them by name. Raises DockerError, CalledProcessError."""
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=10
    ).stdout.strip()
    first = Release("first", head)
    command = [sys.executable, "-m", "scripts.images", "--tag", first.built]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "IMAGE_PREFIX": image_prefix}, check=True, timeout=1800)
    names = ("next", *FAULTS)
    # Commits that nobody made.
    others = [Release(name, hashlib.sha1(f"{head} {name}".encode()).hexdigest()) for name in names]
    for release in others:
        for image in IMAGES:
            _derive(image_prefix, image, first, release)
    for release in (first, *others):
        for image in IMAGES:
            docker("push", "--quiet", f"{image_prefix}slipway-{image}:{release.built}", seconds=SLOW)
    return {release.name: release for release in (first, *others)}


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
