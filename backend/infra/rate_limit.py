"""Rate limits, counted in Valkey for all processes, or in process memory while Valkey is unavailable."""

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

# Counting must not delay a request for longer.
TIMEOUT_SECONDS = 0.1
PROBE_SECONDS = 1.0
PREFIX = "rate_limit"
PROBE_KEY = f"{PREFIX}:probe"
PROBE_KEY_SECONDS = 60
IN_MEMORY = Gauge(
    "rate_limit_in_memory",
    "1 while each process counts in memory, because Valkey is unavailable.",
    multiprocess_mode="livemax",
)


class Verdict(NamedTuple):
    """The result of counting one request."""

    allowed: bool
    limit: int
    remaining: int
    reset_seconds: int


class CountersUnavailable(Exception):
    """Valkey is unavailable. The caller must count in memory."""


class Counters:
    """Valkey with a breaker that opens at the first failure and retries in a background thread.

    A pybreaker breaker would retry within a request every few seconds, and that request would wait for the timeout.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._probed_at = 0.0
        self.unavailable = False

    @cached_property
    def redis(self) -> "Redis":
        return connect(self._settings, timeout=TIMEOUT_SECONDS)

    def run(self, command: Callable[[], T]) -> T:
        """Run a Valkey command. Raises CountersUnavailable, immediately if Valkey is known to be unavailable."""
        if self.unavailable:
            self._probe_soon()
            raise CountersUnavailable
        try:
            return command()
        except Exception as error:
            self._change(unavailable=True, error=type(error).__name__)
            raise CountersUnavailable from error

    def check(self) -> None:
        """Check that Valkey accepts writes. Raises CountersUnavailable."""
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
            self._change(unavailable=False)

    def _write(self) -> None:
        # A full or read-only Valkey responds to PING, but rejects writes.
        self.redis.set(PROBE_KEY, 1, ex=PROBE_KEY_SECONDS)

    def _change(self, *, unavailable: bool, **details: str) -> None:
        with self._lock:
            changed = self.unavailable != unavailable
            self.unavailable, self._probed_at = unavailable, time.monotonic()
        IN_MEMORY.set(int(unavailable))
        if changed:
            log.warning("rate_limit_changed", counting_in="memory" if unavailable else "valkey", **details)


class AttemptLimiter:
    """Counts attempts exactly, in a moving window. Blocks during the round trips to Valkey."""

    def __init__(self, counters: Counters, limit: int, *, seconds: int = 60) -> None:
        self._counters = counters
        self._limit = limit
        self._seconds = seconds
        self._in_memory = MemoryAttempts(limit, seconds)

    def hit(self, *keys: str) -> Verdict:
        """Count an attempt for each key until one is over its limit. Return the strictest verdict."""
        try:
            return self._counters.run(lambda: _strictest(self._hit_in_valkey, keys))
        except CountersUnavailable:
            return _strictest(self._in_memory.hit, keys)

    def _hit_in_valkey(self, key: str) -> Verdict:
        from limits import RateLimitItemPerSecond

        item = RateLimitItemPerSecond(self._limit, self._seconds)
        allowed = self._in_valkey.hit(item, key)
        reset_time, remaining = self._in_valkey.get_window_stats(item, key)
        reset = max(1, math.ceil(reset_time - time.time()))
        return Verdict(allowed, self._limit, max(0, remaining), reset)

    # Importing limits and redis would delay process start by 120 ms.
    @cached_property
    def _in_valkey(self) -> "MovingWindowRateLimiter":
        from limits.storage import RedisStorage
        from limits.strategies import MovingWindowRateLimiter

        pool = self._counters.redis.connection_pool
        return MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool, key_prefix=PREFIX))


class MemoryAttempts:
    """Attempts per key in a moving window, in process memory. Keys without attempts are removed after two windows.

    The MemoryStorage of `limits` never removes a key, and scans all keys after each attempt.
    """

    def __init__(self, limit: int, seconds: int) -> None:
        self._limit = limit
        self._seconds = seconds
        self._lock = threading.Lock()
        self._attempts: dict[str, deque[float]] = {}
        self._swept_at = 0.0

    def __len__(self) -> int:
        return len(self._attempts)

    def hit(self, key: str) -> Verdict:
        """Count an attempt unless it exceeds the limit."""
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
