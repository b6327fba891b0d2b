#!/usr/bin/env python3
"""Replaces `docker`: records its calls, and pushes by tagging an image that the registry already has."""

import json
import os
import sys
import urllib.request
from pathlib import Path

ACCEPT = "application/vnd.oci.image.manifest.v1+json"


def main(argv: list[str]) -> int:
    config = Path(os.environ.get("DOCKER_CONFIG", "/nowhere")) / "config.json"
    login = json.loads(config.read_text()) if config.exists() else {}
    called = {"argv": argv, "login": login, "folder": str(config.parent), "engine": os.environ.get("DOCKER_HOST", "")}
    with Path(os.environ["DOCKER_CALLS"]).open("a") as calls:
        calls.write(json.dumps(called) + "\n")
    if argv[0] == os.environ.get("DOCKER_FAILS"):
        sys.stderr.write("no space left on device\n")
        return 1
    if argv[0] == "context":
        sys.stdout.write("unix:///run/user.sock\n")
    if argv[0] == "push":
        push(argv[-1])
    return 0


def push(name: str) -> None:
    path, _, tag = name.rpartition(":")
    host, _, repository = path.partition("/")
    url = f"http://{host}/v2/{repository}/manifests/"
    digest = json.loads(os.environ["DOCKER_IMAGES"])[repository.rpartition("/")[2]]
    request = urllib.request.Request(url + digest, headers={"Accept": ACCEPT})
    with urllib.request.urlopen(request, timeout=10) as response:
        content = response.read()
    put = urllib.request.Request(url + tag, content, {"Content-Type": ACCEPT}, method="PUT")
    urllib.request.urlopen(put, timeout=10).close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
