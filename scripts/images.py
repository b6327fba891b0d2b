"""Builds both images of the current commit: `make images`, or `python3 -m scripts.images [--tag TAG]`."""

import argparse
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from backend.infra.schema import known_revisions

ROOT = Path(__file__).resolve().parent.parent
TARGETS = ("app", "web")


def image_name(target: str, tag: str) -> str:
    """Return an image's full name. IMAGE_PREFIX is the registry, such as `registry.example.com/team/`."""
    return f"{os.environ.get('IMAGE_PREFIX', '')}slipway-{target}:{tag}"


def default_tag() -> str:
    """Return `sha-<commit>`, plus `-dirty` with uncommitted changes. Raises CalledProcessError."""
    changed = "-dirty" if _git("status", "--porcelain") else ""
    return f"sha-{_git('rev-parse', '--short=12', 'HEAD')}{changed}"


def build(tag: str, targets: Sequence[str] = TARGETS, platform: str = "") -> None:
    """Build images for this machine or a platform, labelled with their commit. Raises CalledProcessError."""
    labels = {
        "GIT_SHA": _git("rev-parse", "HEAD"),
        "VERSION": tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"],
        "CREATED": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "SCHEMA": known_revisions()[-1],
    }
    arguments = [word for name, value in labels.items() for word in ("--build-arg", f"{name}={value}")]
    # With attestations, the pushed image would be an index of several images, which some platforms reject.
    arguments += ["--provenance=false", "--sbom=false", *(["--platform", platform] if platform else [])]
    for target in targets:
        started = time.monotonic()
        command = ["docker", "build", "--quiet", "--file", "docker/Dockerfile", "--target", target, *arguments]
        subprocess.run(
            [*command, "--tag", image_name(target, tag), "."], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
        print(f"images: built {image_name(target, tag)} in {time.monotonic() - started:.0f} s", flush=True)


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(prog="images", description="Build the images app and web.")
    parser.add_argument("--tag", help="instead of sha-<commit>")
    parser.add_argument("--platform", default="", help="such as linux/amd64, instead of this machine's")
    parser.add_argument("targets", nargs="*", metavar="IMAGE", help="app or web, instead of both")
    given = parser.parse_args()
    try:
        build(given.tag or default_tag(), given.targets or TARGETS, given.platform)
    except FileNotFoundError as error:
        print(f"images: {error.filename} is not installed; it builds the images", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError:
        print("images: the build failed; docker's output is above", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
