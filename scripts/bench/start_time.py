"""Measures the start of a web process, from exec to its first 200, against a bare one."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from statistics import median

from scripts.bench.processes import cpu_seconds
from scripts.bench.rows import Account
from scripts.bench.servers import Stack, Web, gunicorn, uvicorn
from scripts.bench.table import Row

BARE = "scripts.bench.bare_start:app"
MAX_RATIO = 1.3

Server = Callable[[], AbstractContextManager[Web]]


@dataclass(frozen=True, slots=True)
class Start:
    """The duration of one start; the CPU time depends less on other load of the machine."""

    ms: float
    cpu_ms: float


def measure(stack: Stack, _account: Account, *, quick: bool) -> Iterator[Row]:
    """Start both alternately. The first start of each does not count, because it may compile files."""
    runs = 3 if quick else 7

    def ours() -> AbstractContextManager[Web]:
        return uvicorn(stack)

    def bare() -> AbstractContextManager[Web]:
        return uvicorn(stack, BARE)

    def two_processes() -> AbstractContextManager[Web]:
        return gunicorn(stack)

    pairs = [(_start(ours), _start(bare)) for _ in range(runs + 1)][1:]
    yield _row("start to the first 200, one process", [(our.ms, other.ms) for our, other in pairs])
    yield _row("start to the first 200, one process: CPU time", [(our.cpu_ms, other.cpu_ms) for our, other in pairs])
    both = median(_start(two_processes).ms for _ in range(runs))
    yield Row("start to the first 200, gunicorn with 2 workers", f"{both:.0f} ms")


def _start(server: Server) -> Start:
    started = time.perf_counter()
    with server() as web:
        return Start((time.perf_counter() - started) * 1000, cpu_seconds(web.pids) * 1000)


def _row(what: str, pairs: list[tuple[float, float]]) -> Row:
    ours, bare = (f"{median(side):.0f} ms" for side in zip(*pairs, strict=True))
    ratio = median(our / other for our, other in pairs)
    return Row(what, ours, bare, f"{ratio:.2f}", f"<= {MAX_RATIO}", ratio <= MAX_RATIO)
