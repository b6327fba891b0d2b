"""Rehearses delivery on this machine: `python -m tests.rehearsal` deploys, breaks and rolls back under load.

A simulator of App Platform's API runs this commit's real images with Docker, and the deploy tool talks to it. What it
cannot show: the platform's own speed, its edge, its restarts of containers that die, and autoscaling.
"""

import asyncio
import fcntl
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.images import default_tag
from tests.rehearsal.apps import bucket, live_spec
from tests.rehearsal.containers import DockerError, docker, remove_everything
from tests.rehearsal.platform import Platform, platform
from tests.rehearsal.play import Play
from tests.rehearsal.releases import first_release, push_first
from tests.rehearsal.surroundings import make_bucket, surround
from tests.rehearsal.table import table
from tests.rehearsal.tool import Tool, ToolFailed

LOCK = Path(tempfile.gettempdir()) / "slipway-rehearsal.lock"
FOLDERS = "slipway-rehearsal-"
ENVIRONMENTS = ("staging", "production")


def main() -> int:
    """Rehearse; return 0 when nothing failed and nothing was lost, 1 when not, 130 after Ctrl-C."""
    # What ends the rehearsal ends it as Ctrl-C does, which asyncio knows; a shell's background jobs start without it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        with _alone():
            docker("info")
            _remove_leftovers()
            try:
                return _rehearse()
            finally:
                remove_everything()
    except (DockerError, ToolFailed, subprocess.CalledProcessError) as error:
        sys.stderr.write(f"rehearsal: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _remove_leftovers() -> None:
    """Remove what a rehearsal that was killed left behind; no other one runs."""
    remove_everything()
    for folder in Path(tempfile.gettempdir()).glob(f"{FOLDERS}*/"):
        shutil.rmtree(folder)


def _rehearse() -> int:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=FOLDERS) as name:
        folder = Path(name)
        surroundings = surround(folder)
        for environment in ENVIRONMENTS:
            make_bucket(bucket(environment))
        first = first_release()
        dirty = default_tag().endswith("-dirty")
        if dirty:
            say("these files have uncommitted changes; the images get them, under the commit's name")
            push_first(surroundings.image_prefix, first)
        say("starting databases …")
        with platform(folder, surroundings, [live_spec(environment) for environment in ENVIRONMENTS]) as running:
            tool = Tool(running.api.url, running.api.token, surroundings.image_prefix, running.public.path)
            play = Play(running, tool, first, folder, say, builds=not dirty)
            say(f"everything is there after {time.monotonic() - started:.0f} s")
            try:
                asyncio.run(play.run())
                farewells = running.runner.farewells()
            finally:
                _print_trouble(running)
    sys.stdout.write(table(play.rows, play.streams, farewells))
    play.problems += [f"{one.container} did not end in time and was killed" for one in farewells if one.killed]
    for problem in play.problems:
        sys.stderr.write(f"rehearsal: {problem}\n")
    say("FAILED" if play.problems else f"all is well, after {time.monotonic() - started:.0f} s")
    return 1 if play.problems else 0


def _print_trouble(running: Platform) -> None:
    for name, site in running.sites.items():
        for sentence in site.router.trouble[:20]:
            say(f"{name}: {sentence}")


@contextmanager
def _alone() -> Iterator[None]:
    """Let one rehearsal run at a time: each removes what others left."""
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DockerError("another rehearsal is under way on this machine; wait until it ended") from None
        yield


def say(message: str) -> None:
    """Print a line with the time."""
    sys.stdout.write(f"rehearsal: {time.strftime('%H:%M:%S')} {message}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
