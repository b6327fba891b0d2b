"""Steady load through the public door: reads, jobs with uploads, and open streams; every answer is counted."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import quantiles

import httpx

from tests.photos import make_photo
from tests.stack.door import sign_up

READERS = 4
UPLOADERS = 2
STREAMS = 3
PAUSE_SECONDS = 0.1
# Whoever waits longer than this hangs.
HANG_SECONDS = 15.0


@dataclass
class Phase:
    """What was counted while something happened to the stack."""

    name: str
    sent: int = 0
    refusals: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    @property
    def p95_ms(self) -> float:
        """The 95th percentile of the answers' times."""
        return quantiles(self.seconds, n=20)[18] * 1000 if len(self.seconds) > 1 else 0.0


class Load:
    """People at work. What they meet is counted in the phase that runs."""

    def __init__(self, open_client: Callable[[], httpx.AsyncClient], photo: bytes | None = None) -> None:
        self._open_client = open_client
        self._photo = photo or make_photo(400, 300)
        self._stopping = asyncio.Event()
        self.phases = [Phase("steady")]
        self.streams: Counter[str] = Counter()
        self._clients: list[httpx.AsyncClient] = []
        self._people: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """Send load until `stop`, or the end of the block."""
        async with AsyncExitStack() as stack:
            for work in [self._read] * READERS + [self._upload] * UPLOADERS + [self._listen] * STREAMS:
                client = await stack.enter_async_context(self._open_client())
                await sign_up(client)
                self._clients.append(client)
                self._people.append(asyncio.create_task(self._repeat(work, client)))
            try:
                yield self
            finally:
                await self.stop()

    async def stop(self) -> None:
        """Let everybody finish what he does."""
        self._stopping.set()
        await asyncio.gather(*self._people)

    def begin(self, name: str) -> Phase:
        """Count from now on under another name."""
        self.phases.append(Phase(name))
        return self.phases[-1]

    async def lost(self, seconds: float) -> dict[str, int]:
        """Wait until every accepted job is completed; return how many are not, by the phase that accepted them."""
        accepted = {job for phase in self.phases for job in phase.accepted}
        deadline = time.monotonic() + seconds
        completed: set[str] = set()
        while not completed.issuperset(accepted) and time.monotonic() < deadline:
            await asyncio.sleep(1)
            completed = {job for client in self._clients for job in await _completed(client)}
        return {phase.name: sum(job not in completed for job in phase.accepted) for phase in self.phases}

    async def _repeat(self, work: Callable[[httpx.AsyncClient], Awaitable[None]], client: httpx.AsyncClient) -> None:
        while not self._stopping.is_set():
            await work(client)
            await asyncio.sleep(PAUSE_SECONDS)

    async def _read(self, client: httpx.AsyncClient) -> None:
        await self._ask(client, "GET", "/api/jobs")

    async def _upload(self, client: httpx.AsyncClient) -> None:
        body = {"filename": "photo.jpg", "content_type": "image/jpeg", "size": len(self._photo)}
        answer = await self._ask(client, "POST", "/api/uploads", json=body)
        if answer is None:
            return
        ticket = answer.json()
        # Storage is not what is tested here.
        headers = {"authorization": ""} | ticket["headers"]
        (await client.put(ticket["url"], content=self._photo, headers=headers)).raise_for_status()
        body = {"upload_id": ticket["upload_id"], "recipe": {"preset": "social"}}
        phase = self.phases[-1]
        answer = await self._ask(client, "POST", "/api/jobs", json=body)
        if answer is not None:
            phase.accepted.append(answer.json()["id"])
        await asyncio.sleep(1)

    async def _listen(self, client: httpx.AsyncClient) -> None:
        """Keep a stream open, and open it again when it ends, as a browser does."""
        try:
            async with client.stream("GET", "/api/jobs/events", timeout=httpx.Timeout(HANG_SECONDS, read=25)) as stream:
                self.streams[f"opened {stream.status_code}"] += 1
                async for _line in stream.aiter_lines():
                    self.streams["lines"] += 1
                    if self._stopping.is_set():
                        return
            self.streams["ended"] += 1
        except httpx.HTTPError as error:
            self.streams[type(error).__name__] += 1

    async def _ask(self, client: httpx.AsyncClient, method: str, path: str, **body: object) -> httpx.Response | None:
        """Send a request and count its answer; return it when it is a good one."""
        phase = self.phases[-1]
        phase.sent += 1
        started = time.monotonic()
        try:
            answer = await client.request(method, path, **body)  # type: ignore[arg-type]
        except httpx.HTTPError as error:
            phase.failures.append(f"{method} {path}: {error!r}")
            return None
        phase.seconds.append(time.monotonic() - started)
        if answer.is_success:
            return answer
        if _is_honest_refusal(answer):
            seconds = time.monotonic() - started
            phase.refusals.append(f"{method} {path}: {answer.json().get('detail')} after {seconds:.1f} s")
        else:
            phase.failures.append(f"{method} {path}: {answer.status_code} {answer.text[:200]}")
        return None


async def _completed(client: httpx.AsyncClient) -> list[str]:
    jobs: list[str] = []
    position: dict[str, str] = {}
    while True:
        page = (await client.get("/api/jobs", params={"limit": "100"} | position)).raise_for_status().json()
        jobs += [job["id"] for job in page["items"] if job["status"] == "completed"]
        if not page["next_cursor"]:
            return jobs
        position = {"cursor": page["next_cursor"]}


def _is_honest_refusal(answer: httpx.Response) -> bool:
    """Whether the answer is a 503 that says when to come back, as a problem document (RFC 9457)."""
    return (
        answer.status_code == 503
        and answer.headers.get("content-type", "").startswith("application/problem+json")
        and "retry-after" in answer.headers
        and json.loads(answer.text)["status"] == 503
    )


def print_table(load: Load, lost: dict[str, int]) -> None:
    """Print what each phase met."""
    print(f"\n{'phase':34} {'sent':>6} {'failed':>7} {'503':>5} {'p95 ms':>7} {'jobs':>5} {'lost':>5}")
    for phase in load.phases:
        print(
            f"{phase.name:34} {phase.sent:6} {len(phase.failures):7} {len(phase.refusals):5} {phase.p95_ms:7.0f} "
            f"{len(phase.accepted):5} {lost[phase.name]:5}"
        )
        for sentence in (*phase.failures[:3], *phase.refusals[:3]):
            print(f"    {sentence}")
    print("streams:", dict(load.streams))
