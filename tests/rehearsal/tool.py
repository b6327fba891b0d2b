"""Runs the deploy tool as a person does: as a program, with a token and a registry, and its answer read as JSON."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
# The longest command: a deployment that fails and is rolled back.
SECONDS = 600


class ToolFailed(Exception):
    """The tool did not end as it was to, with all it said."""


@dataclass(frozen=True)
class Ran:
    """How one command of the tool went."""

    seconds: float
    document: dict[str, Any]

    def phase_seconds(self, name: str) -> float:
        """Return how long a phase took, by the tool's own account; phases of one name together."""
        return sum(float(phase["seconds"]) for phase in self.document["phases"] if phase["name"].startswith(name))


@dataclass(frozen=True)
class Tool:
    """The tool with what it needs to reach a platform."""

    api_url: str
    token: str
    image_prefix: str
    authorities: Path

    async def run(self, *arguments: str, expect: int = 0) -> Ran:
        """Run a command. Raises ToolFailed when it ends with another exit code than expected."""
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "scripts.deploy", *arguments, "--json"),
            cwd=ROOT,
            env=self._environment(),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            async with asyncio.timeout(SECONDS):
                out, said = [text.decode() for text in await process.communicate()]
        except (TimeoutError, asyncio.CancelledError):
            process.terminate()
            await process.wait()
            raise
        if process.returncode != expect:
            words = f"{' '.join(arguments)} ended with {process.returncode} and not with {expect}"
            raise ToolFailed(f"{words}\n{out}\n{said}")
        return Ran(time.monotonic() - started, json.loads(out))

    def _environment(self) -> dict[str, str]:
        # A person's SMOKE_URL would send the smoke test to a site that is real.
        mine = {name: value for name, value in os.environ.items() if not name.startswith("SMOKE_")}
        return {
            **mine,
            "DIGITALOCEAN_API_URL": self.api_url,
            "DIGITALOCEAN_ACCESS_TOKEN": self.token,
            "IMAGE_PREFIX": self.image_prefix,
            "SSL_CERT_FILE": str(self.authorities),
        }
