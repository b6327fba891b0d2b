"""Counting when Valkey takes no writes, or is away for long: exact still, said once, and in little memory."""

import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

from backend.infra.rate_limit import PROBE_SECONDS, AttemptLimiter, Counters, CountersUnavailable, MemoryAttempts
from scripts.valkey import embedded_valkey, free_port
from tests.backend.infra.test_rate_limit import changes_said, make_counters, wait_until

__all__ = ["make_counters"]


@pytest.fixture
def own_valkey() -> Iterator[str]:
    """A Valkey that may be spoilt."""
    with embedded_valkey() as url:
        yield url


SPOIL = {"full": ("CONFIG", "SET", "maxmemory", "1"), "read-only": ("REPLICAOF", "127.0.0.1", str(free_port()))}
MEND = {"full": ("CONFIG", "SET", "maxmemory", "0"), "read-only": ("REPLICAOF", "NO", "ONE")}


@pytest.mark.parametrize("state", list(SPOIL))
def test_a_valkey_that_takes_no_writes_is_away_until_it_does(
    state: str, own_valkey: str, make_counters: Callable[..., Counters], capsys: pytest.CaptureFixture[str]
) -> None:
    counters, operator = make_counters(own_valkey), make_counters(own_valkey).redis
    limiter, key = AttemptLimiter(counters, 3), uuid4().hex
    counters.check()
    operator.execute_command(*SPOIL[state])
    assert operator.ping()
    allowed = 0
    deadline = time.monotonic() + 2.5 * PROBE_SECONDS
    while time.monotonic() < deadline:
        allowed += limiter.hit(key).allowed
        time.sleep(0.05)
    assert allowed == 3
    with pytest.raises(CountersUnavailable):
        counters.check()
    assert changes_said(capsys) == ["memory"]
    operator.execute_command(*MEND[state])
    wait_until(lambda: limiter.hit(uuid4().hex).allowed and not counters.unavailable, PROBE_SECONDS + 2)
    assert changes_said(capsys) == ["valkey"]


def test_a_health_check_alone_notices_that_valkey_takes_no_writes(
    own_valkey: str, make_counters: Callable[..., Counters]
) -> None:
    counters = make_counters(own_valkey)
    counters.redis.execute_command(*SPOIL["full"])
    with pytest.raises(CountersUnavailable):
        counters.check()


def test_without_valkey_callers_are_forgotten_when_their_attempts_are_old(
    make_counters: Callable[..., Counters],
) -> None:
    limiter = AttemptLimiter(make_counters(f"redis://127.0.0.1:{free_port()}/0"), 3, seconds=1)
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
        (1060.0, "a", False),  # swept in between
        (1109.9, "a", False),
        (1110.0, "a", True),
        (1119.8, "a", False),
        (1119.9, "a", True),
    ):
        assert attempts.hit(key).allowed is allowed, now


def test_attempts_in_memory_tell_what_is_left_and_when_the_first_is_old_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    attempts = MemoryAttempts(2, 60)
    assert attempts.hit("a") == (True, 2, 1, 60)
    now = 1030.0
    assert attempts.hit("a") == (True, 2, 0, 30)
    assert attempts.hit("a") == (False, 2, 0, 30)
