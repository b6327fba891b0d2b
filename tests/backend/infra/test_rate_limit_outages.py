"""Rate limits while Valkey refuses writes or is unavailable: exact, logged once, with bounded memory."""

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from backend.infra.rate_limit import PROBE_SECONDS, AttemptLimiter, Counters, CountersUnavailable, MemoryAttempts
from scripts.valkey import embedded_valkey, free_port
from tests.backend.infra.test_rate_limit import create_counters, logged_changes, wait_until

__all__ = ["create_counters"]


@pytest.fixture
def own_valkey() -> Iterator[str]:
    """Run a Valkey that the test may break."""
    with embedded_valkey() as url:
        yield url


BREAK = {"full": ("CONFIG", "SET", "maxmemory", "1"), "read-only": ("REPLICAOF", "127.0.0.1", str(free_port()))}
REPAIR = {"full": ("CONFIG", "SET", "maxmemory", "0"), "read-only": ("REPLICAOF", "NO", "ONE")}


@pytest.mark.parametrize("state", list(BREAK))
def test_a_valkey_that_refuses_writes_is_unavailable_until_it_accepts_them(
    state: str, own_valkey: str, create_counters: Callable[..., Counters], capsys: pytest.CaptureFixture[str]
) -> None:
    counters, operator = create_counters(own_valkey), create_counters(own_valkey).redis
    limiter, key = AttemptLimiter(counters, 3), uuid4().hex
    counters.check()
    operator.execute_command(*BREAK[state])
    assert operator.ping()
    allowed = 0
    deadline = time.monotonic() + 2.5 * PROBE_SECONDS
    while time.monotonic() < deadline:
        allowed += limiter.hit(key).allowed
        time.sleep(0.05)
    assert allowed == 3
    with pytest.raises(CountersUnavailable):
        counters.check()
    assert logged_changes(capsys) == ["memory"]
    operator.execute_command(*REPAIR[state])
    wait_until(lambda: limiter.hit(uuid4().hex).allowed and not counters.unavailable, PROBE_SECONDS + 2)
    assert logged_changes(capsys) == ["valkey"]


def test_a_health_check_detects_that_valkey_refuses_writes(
    own_valkey: str, create_counters: Callable[..., Counters]
) -> None:
    counters = create_counters(own_valkey)
    counters.redis.execute_command(*BREAK["full"])
    with pytest.raises(CountersUnavailable):
        counters.check()


def test_without_valkey_old_attempts_are_removed_from_memory(
    create_counters: Callable[..., Counters],
) -> None:
    limiter = AttemptLimiter(create_counters(f"redis://127.0.0.1:{free_port()}/0"), 3, seconds=1)
    for n in range(5_000):
        limiter.hit(f"caller-{n}")
    time.sleep(1.1)
    limiter.hit("another")
    assert len(limiter._in_memory) < 10


def test_attempts_in_memory_are_counted_for_exactly_one_window(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    attempts = MemoryAttempts(2, 60)
    for now, key, allowed in (
        (1000.0, "other", True),
        (1050.0, "a", True),
        (1059.9, "a", True),
        (1060.0, "a", False),  # after a sweep
        (1109.9, "a", False),
        (1110.0, "a", True),
        (1119.8, "a", False),
        (1119.9, "a", True),
    ):
        assert attempts.hit(key).allowed is allowed, now


def test_verdicts_in_memory_contain_the_remaining_attempts_and_the_reset_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    attempts = MemoryAttempts(2, 60)
    assert attempts.hit("a") == (True, 2, 1, 60)
    now = 1030.0
    assert attempts.hit("a") == (True, 2, 0, 30)
    assert attempts.hit("a") == (False, 2, 0, 30)
