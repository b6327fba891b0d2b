"""The docker command line, as far as the rehearsal needs it; all that is made here carries one label."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

PREFIX = "slipway-rehearsal"
LABEL = "slipway.rehearsal"
# Images live at a registry of ours, on whatever port it had, under this name.
IMAGES = f"127.0.0.1:*/{PREFIX}/*"
QUICK, SLOW = 60, 600
# What Docker reports of a process that was killed because it did not end.
KILLED = 137


class DockerError(Exception):
    """What docker said about a command that failed."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container that was started, and its address, which this machine reaches too."""

    id: str
    name: str
    address: str


def docker(*arguments: str, env: Mapping[str, str] | None = None, seconds: float = QUICK, stdin: str = "") -> str:
    """Run docker and return what it prints. Raises DockerError with what it says, or when it takes too long."""
    command = " ".join(arguments[:2])
    try:
        result = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
    except FileNotFoundError:
        raise DockerError("docker is not installed; the rehearsal runs containers: docs.docker.com/engine") from None
    except subprocess.TimeoutExpired:
        raise DockerError(f"docker {command} took longer than {seconds:g} s") from None
    if result.returncode:
        raise DockerError(f"docker {command}: {result.stderr.strip()}")
    return result.stdout.strip()


def start(
    name: str,
    image: str,
    *command: str,
    network: str,
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> Container:
    """Start a container. Its variables' values are handed over by environment, never on a command line."""
    names = [word for key in env or {} for word in ("--env", key)]
    label = ("--label", f"{LABEL}={name}")
    started = docker(
        "run", "--detach", "--name", name, *label, "--network", network, *options, *names, image, *command, env=env
    )
    address = docker("inspect", "--format", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", started)
    return Container(started, name, address)


def exit_code(container: Container) -> int | None:
    """Return how the container's process ended, None while it runs."""
    running, code = docker("inspect", "--format", "{{.State.Running}} {{.State.ExitCode}}", container.id).split()
    return None if running == "true" else int(code)


def logs(container: Container, lines: int = 60) -> str:
    """Return the last lines a container wrote."""
    command = ["docker", "logs", "--tail", str(lines), container.id]
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=QUICK
    )
    return result.stdout.strip()


def stop(container: Container, grace: int) -> int:
    """Send SIGTERM, after `grace` seconds SIGKILL; return the exit code, KILLED when it came to that."""
    docker("stop", "-t", str(grace), container.id, seconds=grace + QUICK)
    return exit_code(container) or 0


def remove(*containers: Container) -> None:
    """Remove containers with what they kept, whatever they are doing."""
    if containers:
        docker("rm", "--force", "--volumes", *(one.id for one in containers))


def remove_everything() -> None:
    """Remove all that rehearsals left on this engine: containers, networks and the releases' images."""
    label = ("--quiet", "--filter", f"label={LABEL}")
    if left := docker("container", "ls", "--all", *label).split():
        docker("rm", "--force", "--volumes", *left, seconds=SLOW)
    if left := docker("network", "ls", *label).split():
        docker("network", "rm", *left)
    if left := docker("image", "ls", "--quiet", "--filter", f"reference={IMAGES}").split():
        docker("image", "rm", "--force", *dict.fromkeys(left), seconds=SLOW)
