"""Limits counted in Valkey for all processes at once, and in this process's memory while Valkey is away."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import structlog
from prometheus_client import Gauge

from backend.infra.redis import connect
from backend.settings import Settings

if TYPE_CHECKING:
    from limits.strategies import MovingWindowRateLimiter
    from redis import Redis

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Counting is worth no more of a request's time than this.
TIMEOUT_SECONDS = 0.1
PROBE_SECONDS = 1.0
PREFIX = "rate_limit"
PROBE_KEY = f"{PREFIX}:probe"
PROBE_KEY_SECONDS = 60
IN_MEMORY = Gauge(
    "rate_limit_in_memory", "1 while Valkey does not count, and each process does.", multiprocess_mode="livemax"
)


class Verdict(NamedTuple):
    """What a limit says of one request."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int


class CountersAway(Exception):
    """Valkey does not count now: whoever asks counts by himself."""


class Counters:
    """Valkey, given up at its first failure and asked again from a thread of its own.

    A breaker of pybreaker would let a request try again every few seconds, and wait for its time-out.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._probed_at = 0.0
        self.away = False

    @cached_property
    def redis(self) -> "Redis":
        """The connection, made when first used."""
        return connect(self._settings, timeout=TIMEOUT_SECONDS)

    def run(self, command: Callable[[], T]) -> T:
        """Run something on Valkey. Raises CountersAway, at once when Valkey was away already."""
        if self.away:
            self._probe_soon()
            raise CountersAway
        try:
            return command()
        except Exception as error:
            self._change(away=True, error=type(error).__name__)
            raise CountersAway from error

    def check(self) -> None:
        """Ask whether counting works. Raises CountersAway."""
        self.run(self._write)

    def _probe_soon(self) -> None:
        with self._lock:
            if time.monotonic() - self._probed_at < PROBE_SECONDS:
                return
            self._probed_at = time.monotonic()
        threading.Thread(target=self._probe, daemon=True, name="rate-limit-probe").start()

    def _probe(self) -> None:
        try:
            self._write()
        except Exception as error:
            log.debug("rate_limit_probe_failed", error=type(error).__name__)
        else:
            self._change(away=False)

    def _write(self) -> None:
        # A Valkey that is full or read-only answers a PING, and refuses to count.
        self.redis.set(PROBE_KEY, 1, ex=PROBE_KEY_SECONDS)

    def _change(self, *, away: bool, **details: str) -> None:
        with self._lock:
            changed = self.away != away
            self.away, self._probed_at = away, time.monotonic()
        IN_MEMORY.set(int(away))
        if changed:
            log.warning("rate_limit_changed", counting_in="memory" if away else "valkey", **details)


class AttemptLimiter:
    """Counts attempts exactly, in a moving window; blocks for the round trips."""

    def __init__(self, counters: Counters, limit: int, *, seconds: int = 60) -> None:
        self._counters = counters
        self._limit = limit
        self._seconds = seconds
        self._in_memory = MemoryAttempts(limit, seconds)

    def hit(self, *keys: str) -> Verdict:
        """Count an attempt for each key until one refuses; return the strictest verdict."""
        try:
            return self._counters.run(lambda: _strictest(self._hit_in_valkey, keys))
        except CountersAway:
            return _strictest(self._in_memory.hit, keys)

    def _hit_in_valkey(self, key: str) -> Verdict:
        from limits import RateLimitItemPerSecond

        item = RateLimitItemPerSecond(self._limit, self._seconds)
        allowed = self._in_valkey.hit(item, key)
        reset_time, remaining = self._in_valkey.get_window_stats(item, key)
        reset = max(1, math.ceil(reset_time - time.time()))
        return Verdict(allowed, self._limit, max(0, remaining), reset)

    # Importing limits, and redis with it, takes 120 ms that a starting process can do without.
    @cached_property
    def _in_valkey(self) -> "MovingWindowRateLimiter":
        from limits.storage import RedisStorage
        from limits.strategies import MovingWindowRateLimiter

        pool = self._counters.redis.connection_pool
        return MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix=PREFIX))


class MemoryAttempts:
    """Attempts of this process's callers in a moving window; who made none for two windows is forgotten.

    The MemoryStorage of `limits` remembers every caller for good, and looks through all of them after each attempt.
    """

    def __init__(self, limit: int, seconds: int) -> None:
        self._limit = limit
        self._seconds = seconds
        self._lock = threading.Lock()
        self._attempts: dict[str, deque[float]] = {}
        self._swept_at = 0.0

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._attempts)

    def hit(self, key: str) -> Verdict:
        """Count an attempt, unless that exceeds the limit."""
        now = time.monotonic()
        with self._lock:
            self._sweep(now)
            attempts = self._attempts.setdefault(key, deque())
            while attempts and attempts[0] <= now - self._seconds:
                attempts.popleft()
            allowed = len(attempts) < self._limit
            if allowed:
                attempts.append(now)
            reset = math.ceil(attempts[0] + self._seconds - now) if attempts else self._seconds
            return Verdict(allowed, self._limit, self._limit - len(attempts), max(1, reset))

    def _sweep(self, now: float) -> None:
        if now - self._swept_at < self._seconds:
            return
        since = now - self._seconds
        self._attempts = {key: times for key, times in self._attempts.items() if times and times[-1] > since}
        self._swept_at = now


def _strictest(count: Callable[[str], Verdict], keys: tuple[str, ...]) -> Verdict:
    verdicts = []
    for key in keys:
        verdicts.append(count(key))
        if not verdicts[-1].allowed:
            break
    return min(verdicts, key=lambda verdict: (verdict.allowed, verdict.remaining))
