"""The images: what they add to their bases, how fast they build again, what they say of themselves, and their roles."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from backend.infra.schema import known_revisions
from scripts.images import image_name
from scripts.stack.docker import docker

ROOT = Path(__file__).resolve().parent.parent.parent
READ_ONLY = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL")


@pytest.mark.parametrize(
    ("target", "base", "megabytes"), [("app", "python:3.13-slim-trixie", 230), ("web", "caddy:2.11", 12)]
)
def test_an_image_adds_little_to_its_base(first_release: str, target: str, base: str, megabytes: int) -> None:
    sizes = [int(docker("image", "inspect", "--format", "{{.Size}}", name)) for name in (_image(target), base)]
    added = (sizes[0] - sizes[1]) / 1e6
    print(f"\n{target} adds {added:.1f} MB to {base}; at most {megabytes}")
    assert added <= megabytes


def test_a_change_of_one_line_is_built_in_seconds(first_release: str, tmp_path: Path) -> None:
    copy = tmp_path / "checkout"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in names.rstrip("\0").split("\0"):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    _build(copy)
    errors = copy / "backend/errors.py"
    # Not the line of an earlier run, which the builder would remember.
    errors.write_text(errors.read_text() + f"# {uuid4()}\n")
    started = time.monotonic()
    _build(copy)
    seconds = time.monotonic() - started
    print(f"\na change of one line was built in {seconds:.1f} s")
    assert seconds < 20


def test_an_image_says_what_it_was_made_from(first_release: str) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("app", "web"):
        labels = json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", _image(target)))
        assert labels["org.opencontainers.image.revision"] == commit.strip()
        assert labels["org.opencontainers.image.version"]
        assert labels["org.opencontainers.image.created"].endswith("Z")
    labels = json.loads(docker("image", "inspect", "--format", "{{json .Config.Labels}}", _image("app")))
    assert labels["slipway.schema"] == known_revisions()[-1]


@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("check", "DATABASE_URL"),
        ("web", "DATABASE_URL"),
        ("worker", "DATABASE_URL"),
        ("no-such-role", "No such command"),
    ],
)
def test_a_role_without_settings_says_what_is_missing(first_release: str, role: str, says: str) -> None:
    result = _run(_image("app"), role)
    assert result.returncode != 0
    assert says in result.stdout + result.stderr


def test_pg_dump_and_pg_restore_are_those_of_postgresql_17(first_release: str) -> None:
    for program in ("pg_dump", "pg_restore"):
        assert "(PostgreSQL) 17." in _run("--entrypoint", program, _image("app"), "--version").stdout


def test_an_image_has_no_compiler_no_cache_and_no_source_of_the_frontend(first_release: str) -> None:
    names = "/root/.cache /root/.npm /var/cache/apt/archives/*.deb /app/frontend/src /app/.git /app/tests"
    script = f"ls -d {names}; which gcc cc npm uv"
    found = _run("--entrypoint", "sh", _image("app"), "-c", script).stdout.split()
    assert found == []


def test_the_dockerfile_is_clean() -> None:
    subprocess.run([Path(sys.executable).parent / "hadolint", "docker/Dockerfile"], cwd=ROOT, check=True)


@pytest.mark.parametrize("file", ["compose.yaml", "docker/compose.production.yaml"])
def test_a_compose_file_is_valid(file: str, tmp_path: Path) -> None:
    (tmp_path / "settings.env").write_text("")
    variables = {"STACK_DIR": str(tmp_path), "APP_IMAGE": "app", "WEB_IMAGE": "web", "SITE_ADDRESS": "studio.test"}
    arguments = [word for name, value in variables.items() for word in (f"{name}={value}",)]
    command = ["env", *arguments, "docker", "compose", "--file", file, "config", "--quiet"]
    subprocess.run(command, cwd=ROOT, check=True)


def _image(target: str) -> str:
    return image_name(target, "test-first")


def _build(folder: Path) -> None:
    command = ["docker", "build", "--quiet", "--file", "docker/Dockerfile", "--target", "app", "."]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)


def _run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["docker", "run", "--rm", *READ_ONLY, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
