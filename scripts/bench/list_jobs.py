"""Measures the list of 20 jobs, with all features on, against the bare list: rate, CPU time, latency."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from statistics import median

from scripts.bench.client import access_token, client_of
from scripts.bench.load import Load, send_load
from scripts.bench.processes import cpu_seconds
from scripts.bench.rows import Account
from scripts.bench.servers import Stack, Web, gunicorn
from scripts.bench.table import Row

PATH = "/api/jobs"
BARE = "scripts.bench.bare_list:app"
CONNECTIONS = (16, 64)
MIN_RATIO = 0.5
MAX_TAIL = 3.0


@dataclass(frozen=True, slots=True)
class Target:
    """One of the compared servers, and its request."""

    web: Web
    path: str
    token: str = ""

    def round(self, connections: int, seconds: float) -> "Round":
        """Send load for some seconds."""
        before = cpu_seconds(self.web.pids)
        load = send_load(self.web.port, self.path, connections=connections, seconds=seconds, token=self.token)
        used = cpu_seconds(self.web.pids) - before
        return Round(load, used / load.requests * 1e6)


@dataclass(frozen=True, slots=True)
class Round:
    """One load of one server, and its CPU time per request in µs."""

    load: Load
    cpu_us: float


def measure(stack: Stack, account: Account, *, quick: bool) -> Iterator[Row]:
    """Load both servers alternately, so that other load on the machine affects both."""
    seconds, rounds = (2.0, 2) if quick else (5.0, 3)
    bare_stack = replace(stack, environment={**stack.environment, "BENCH_USER_ID": str(account.id)})
    with ExitStack() as servers:
        ours = servers.enter_context(gunicorn(stack))
        bare = servers.enter_context(gunicorn(bare_stack, BARE, path="/hello"))
        token = access_token(stack, ours.port, account)
        _require_same_page(ours, bare, token)
        targets = (Target(ours, PATH, token), Target(bare, PATH))
        for target in targets:
            target.round(max(CONNECTIONS), 1.5)
        for connections in CONNECTIONS:
            pairs = [tuple(target.round(connections, seconds) for target in targets) for _ in range(rounds)]
            yield from _rows(connections, pairs)
        hello = Target(bare, "/hello").round(16, min(seconds, 3))
        yield Row("bare Starlette hello, 16 connections", "", f"{hello.load.rate:,.0f}/s, {hello.cpu_us:.0f} µs")


def _rows(connections: int, pairs: list[tuple[Round, ...]]) -> Iterator[Row]:
    ours, bare = zip(*pairs, strict=True)
    what = f"list of 20, {connections} connections"
    ratio = median(our.load.rate / other.load.rate for our, other in pairs)
    our_rate, bare_rate = (f"{median(item.load.rate for item in side):,.0f}/s" for side in (ours, bare))
    yield Row(f"{what}: rate", our_rate, bare_rate, f"{ratio:.2f}", f">= {MIN_RATIO:.2f}", ratio >= MIN_RATIO)
    our_cpu, bare_cpu = (median(item.cpu_us for item in side) for side in (ours, bare))
    yield Row(f"{what}: CPU per request", f"{our_cpu:.0f} µs", f"{bare_cpu:.0f} µs", f"{our_cpu / bare_cpu:.2f}")
    our_wait, bare_wait = (_wait(side) for side in (ours, bare))
    tail = median(item.load.p99_ms / item.load.p50_ms for item in ours)
    yield Row(f"{what}: p50 / p99 ms", our_wait, bare_wait)
    if connections == max(CONNECTIONS):
        yield Row(f"{what}: p99 / p50", f"{tail:.1f}", goal=f"<= {MAX_TAIL:.0f}", met=tail <= MAX_TAIL)


def _wait(rounds: tuple[Round, ...]) -> str:
    p50, p99 = (median(getattr(item.load, name) for item in rounds) for name in ("p50_ms", "p99_ms"))
    return f"{p50:.1f} / {p99:.1f}"


def _require_same_page(ours: Web, bare: Web, token: str) -> None:
    """Raise RuntimeError unless both servers do the same work."""
    with client_of(ours.port) as client, client_of(bare.port) as other:
        page = client.get(PATH, headers={"Authorization": f"Bearer {token}"}).raise_for_status().json()
        bare_page = other.get(PATH).raise_for_status().json()
    times = ("created_at", "started_at", "finished_at", "expires_at")
    pages = [[{**item, **dict.fromkeys(times)} for item in one["items"]] for one in (page, bare_page)]
    if len(pages[0]) != 20 or pages[0] != pages[1]:
        raise RuntimeError("the baseline's page differs from ours: adapt scripts/bench/bare_list.py")
