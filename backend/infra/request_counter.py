"""Counts requests in process memory, and shares the counts with other processes through Valkey shortly after."""

import math
import threading
import time

from backend.infra.rate_limit import PREFIX, Counters, CountersUnavailable, Verdict

SYNC_SECONDS = 0.2
# Counts are in tenths, because light requests count as a tenth.
WHOLE = 10
LIGHT = 1


class Count:
    """One caller's weight in this window: `known` to all processes, and `pending` in this process only."""

    __slots__ = ("known", "pending")

    def __init__(self) -> None:
        self.known = 0
        self.pending = 0


class RequestCounter:
    """Limits requests in fixed windows. Requests never wait for a round trip to Valkey."""

    def __init__(self, counters: Counters, limit: int, *, seconds: int = 60) -> None:
        self._counters = counters
        self._limit = limit
        self._seconds = seconds
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, Count] = {}
        self._sync_is_due = False

    def hit(self, key: str, weight: int = WHOLE) -> Verdict:
        """Count a request of `weight` tenths unless it exceeds the limit."""
        now = time.time()
        window = int(now // self._seconds)
        with self._lock:
            if window != self._window:
                self._window, self._counts = window, {}
            count = self._counts.get(key)
            if count is None:
                count = self._counts[key] = Count()
            left = self._limit * WHOLE - count.known - count.pending - weight
            if left >= 0:
                count.pending += weight
        if left >= 0 and not self._sync_is_due:
            self._sync_soon()
        reset = math.ceil((window + 1) * self._seconds - now)
        return Verdict(left >= 0, self._limit, max(0, left) // WHOLE, max(1, reset))

    def _sync_soon(self) -> None:
        # A request starts the timer. A permanent thread would not survive the fork of gunicorn's master.
        self._sync_is_due = True
        timer = threading.Timer(SYNC_SECONDS, self._sync)
        timer.daemon = True
        timer.start()

    def _sync(self) -> None:
        self._sync_is_due = False
        window, added = self._take_pending()
        if not added:
            return
        try:
            totals = self._counters.run(lambda: self._add(window, added))
        except CountersUnavailable:
            return
        with self._lock:
            for key, total in zip(added, totals, strict=True):
                count = self._counts.get(key) if window == self._window else None
                if count is not None:
                    count.known = max(count.known, total)

    def _take_pending(self) -> tuple[int, dict[str, int]]:
        with self._lock:
            added = {key: count.pending for key, count in self._counts.items() if count.pending}
            for count in self._counts.values():
                count.known, count.pending = count.known + count.pending, 0
            return self._window, added

    def _add(self, window: int, added: dict[str, int]) -> list[int]:
        pipe = self._counters.redis.pipeline(transaction=False)
        for key, weight in added.items():
            name = f"{PREFIX}:{self._seconds}:{window}:{key}"
            pipe.incrby(name, weight)
            pipe.expire(name, 2 * self._seconds)
        return [int(total) for total in pipe.execute()[::2]]
