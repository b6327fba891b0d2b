"""What is rehearsed: releases that work, two that do not, and a person's rollback, all under load."""

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.rehearsal.apps import write_env_file
from tests.rehearsal.load import cut_streams, people_at
from tests.rehearsal.platform import Platform
from tests.rehearsal.releases import Release, push_others
from tests.rehearsal.tool import Ran, Tool, ToolFailed
from tests.simulators.app_platform.model import App
from tests.stack.load import Load

STEADY_SECONDS = 8
ALL_JOBS_SECONDS = 180
ROLLBACK_SECONDS = 60


@dataclass(frozen=True)
class Row:
    """One step's line of the table."""

    step: str
    seconds: float
    sent: int = 0
    failures: tuple[str, ...] = ()
    jobs: int = 0
    lost: int = 0


@dataclass
class Play:
    """One rehearsal: what it plays with, and what was seen; `problems` are what was not as it must be."""

    platform: Platform
    tool: Tool
    first: Release
    folder: Path
    say: Callable[[str], None]
    # Whether the tool itself builds and pushes the first release.
    builds: bool
    releases: dict[str, Release] = field(default_factory=dict)
    streams: dict[str, int] = field(default_factory=dict)
    times: dict[str, float] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def run(self) -> None:
        """Play all steps and fill the table."""
        staging = ("staging",) if self.builds else _deployment("staging", self.first)
        await self._first(f"{'build and ' if self.builds else ''}stage the first release", "staging", staging)
        await self._first("promote the first release", "production", _deployment("production", self.first))
        self.say("building and pushing three more releases …")
        self.releases = await asyncio.to_thread(push_others, self.tool.image_prefix, self.first)
        trust = ssl.create_default_context(cafile=self.platform.public.path)
        load = people_at(self._app("production").live_url, trust)
        async with load.running():
            started = time.monotonic()
            await asyncio.sleep(STEADY_SECONDS)
            self.times["steady"] = time.monotonic() - started
            try:
                await self._under_load(load)
            except ToolFailed as error:
                # What people met until then is worth a table.
                self.problems.append(str(error))
            await load.stop()
            self._expect_nothing_cut(load, await load.lost(ALL_JOBS_SECONDS))

    async def _first(self, name: str, environment: str, arguments: tuple[str, ...]) -> None:
        file = write_env_file(environment, self.folder)
        self.rows.append(Row(name, (await self._step(name, *arguments, "--env-file", str(file))).seconds))

    async def _under_load(self, load: Load) -> None:
        first, following = self.first, self.releases["next"]
        never_ready, failing = self.releases["never ready"], self.releases["failing smoke test"]
        await self._phase(load, "stage the next release", *_deployment("staging", following))
        await self._phase(load, "promote the next release", *_deployment("production", following))
        await self._expect_serving(following)
        await self._phase(load, "stage one that gets never ready", *_deployment("staging", never_ready))
        await self._phase(load, "promote it: it is not taken", *_deployment("production", never_ready), expect=1)
        await self._expect_serving(following)
        await self._phase(load, "stage one whose smoke test fails", *_deployment("staging", failing))
        name = "promote it: it is rolled back"
        ran = await self._phase(load, name, *_deployment("production", failing), expect=1)
        self._expect_quick(name, ran.phase_seconds("rollback"))
        await self._expect_serving(following)
        name = "roll back by hand"
        ran = await self._phase(load, name, "rollback", "--env", "production", "--yes")
        self._expect_quick(name, ran.seconds)
        await self._expect_serving(first)
        await self._phase(load, "ask for the status", "status", "--env", "production")

    async def _phase(self, load: Load, name: str, *arguments: str, expect: int = 0) -> Ran:
        load.begin(name)
        return await self._step(name, *arguments, expect=expect)

    async def _step(self, name: str, *arguments: str, expect: int = 0) -> Ran:
        self.say(f"{name} …")
        ran = await self.tool.run(*arguments, expect=expect)
        self.times[name] = ran.seconds
        phases = ", ".join(f"{phase['name']} {phase['seconds']:.0f}" for phase in ran.document["phases"])
        self.say(f"{name}: {ran.seconds:.0f} s ({phases})")
        return ran

    async def _expect_serving(self, release: Release) -> None:
        app = self._app("production")
        trust = ssl.create_default_context(cafile=self.platform.public.path)
        async with httpx.AsyncClient(base_url=app.live_url, verify=trust) as client:
            serving = (await client.get("/api/version")).json()["git_sha"]
        if serving != release.git_sha:
            self.problems.append(f"{release.git_sha} ({release.name}) was to serve, and {serving} does")

    def _expect_quick(self, name: str, seconds: float) -> None:
        if not 0 < seconds < ROLLBACK_SECONDS:
            self.problems.append(f"{name}: the rollback took {seconds:.0f} s, and {ROLLBACK_SECONDS} are allowed")

    def _expect_nothing_cut(self, load: Load, lost: dict[str, int]) -> None:
        for phase in load.phases:
            failures = (*phase.failures, *phase.refusals)
            row = Row(
                phase.name, self.times.get(phase.name, 0), phase.sent, failures, len(phase.accepted), lost[phase.name]
            )
            self.rows.append(row)
            if failures or row.lost:
                self.problems.append(f"{phase.name}: {len(failures)} requests failed, {row.lost} jobs were lost")
        self.streams = dict(load.streams)
        if cut := cut_streams(load):
            self.problems.append(f"streams were cut: {cut}")

    def _app(self, environment: str) -> App:
        return self.platform.app(f"slipway-{environment}")


def _deployment(environment: str, release: Release) -> tuple[str, ...]:
    if environment == "staging":
        return ("staging", "--tag", release.built)
    return ("promote", "--tag", release.tested, "--yes")
