"""The whole production stack in containers: built, started with secrets of its own, and removed at the end."""

import os
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from scripts.images import build, image_name
from scripts.stack.docker import Container, Stack, docker
from scripts.valkey import free_port

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HOST = "studio.test"
STORAGE_HOST = "storage.test:5000"
PLACEHOLDER_SECRET = "not-checked-by-this-storage"


@dataclass(frozen=True)
class Production:
    """A running stack, and the ports of 127.0.0.1 it answers on."""

    stack: Stack
    https_port: int
    storage_port: int

    def trust(self) -> ssl.SSLContext:
        """Return what checks certificates against the edge's private CA."""
        root = self.stack.folder / "certificates/caddy/pki/authorities/local/root.crt"
        return ssl.create_default_context(cafile=root)

    def containers(self, service: str) -> list[Container]:
        """Return a service's running containers."""
        return [one for one in self.stack.containers(service) if one.state == "running"]

    def run(self, command: str, tag: str = "") -> "subprocess.CompletedProcess[str]":
        """Run the stack command as the Makefile does."""
        return subprocess.run(
            [sys.executable, "-m", "scripts.stack", command, *(["--tag", tag] if tag else [])],
            cwd=ROOT,
            env={**os.environ, **self.environment()},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )

    def environment(self) -> dict[str, str]:
        """Return the variables that tell the command which stack is meant."""
        return {
            "STACK_DIR": str(self.stack.folder),
            "STACK_NAME": self.stack.name,
            "STACK_FILES": str(HERE / "compose.yaml"),
            "STACK_TESTS": str(HERE),
            "HTTPS_PORT": str(self.https_port),
            "STORAGE_PORT": str(self.storage_port),
        }


@contextmanager
def production(folder: Path, tag: str) -> Iterator[Production]:
    """Start the stack with images of `tag`; remove it, its volumes and networks at the end."""
    _make_secrets(folder)
    stack = Stack(folder, f"slipway-test-{os.getpid()}", (HERE / "compose.yaml",))
    running = Production(stack, free_port(), free_port())
    try:
        started = time.monotonic()
        result = running.run("up", tag)
        assert result.returncode == 0, result.stdout + result.stderr + _logs(stack)
        print(f"\nstack: up in {time.monotonic() - started:.0f} s")
        _make_bucket(running)
        yield running
    finally:
        _remove(running)


def build_release(tag: str, after: str = "") -> str:
    """Build both images with a tag of the tests, or change ones that were built; return the tag."""
    if not after:
        build(tag)
        return tag
    for target in ("app", "web"):
        lines = [f"FROM {image_name(target, after)}", f"LABEL slipway.test={tag}"]
        if tag == "test-broken" and target == "app":
            lines += ["USER 0", "RUN rm backend/main.py", "USER 10001:10001"]
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", image_name(target, tag), "-"],
            input="\n".join(lines),
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    return tag


def _make_secrets(folder: Path) -> None:
    folder.mkdir(parents=True)
    shutil.copy(HERE / "settings.env", folder)
    (folder / "secrets").mkdir()
    for name in ("s3_secret_access_key", "smtp_password"):
        (folder / "secrets" / name).write_text(PLACEHOLDER_SECRET)
    subprocess.run([ROOT / "scripts/make-secrets", folder], check=True, stdout=subprocess.DEVNULL)


def _make_bucket(running: Production) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{running.storage_port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key=PLACEHOLDER_SECRET,
    )
    client.create_bucket(Bucket="photos")


def _logs(stack: Stack) -> str:
    services = ("migrate", "web", "worker", "beat", "edge", "postgres", "valkey", "frontend")
    ends = []
    for one in (one for service in services for one in stack.containers(service)):
        result = subprocess.run(["docker", "logs", "--tail", "15", one.id], capture_output=True, text=True, check=False)
        ends.append(f"--- {one.name} {one.state} {one.health}\n{result.stdout}{result.stderr}")
    return "\n".join(ends)


def _remove(running: Production) -> None:
    label = f"label=com.docker.compose.project={running.stack.name}"
    for kind, words in (("container", ("--all",)), ("volume", ()), ("network", ())):
        listed = docker(kind, "ls", *words, "--quiet", "--filter", label).split()
        if listed:
            force = ("--force", "--volumes") if kind == "container" else ()
            docker(kind, "rm", *force, *listed)
