"""Rate limits: exact in Valkey, in memory without Valkey, and without delaying requests."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from backend.infra.logging import configure_logging
from backend.infra.rate_limit import PREFIX, PROBE_SECONDS, AttemptLimiter, Counters, CountersUnavailable
from backend.infra.request_counter import LIGHT, RequestCounter
from scripts.valkey import free_port
from tests.backend.infra.proxy import Proxy, target_of
from tests.conftest import settings_for
from tests.time_limits import scaled


@pytest.fixture
def create_counters(valkey_url: str, tmp_path: Path) -> Callable[..., Counters]:
    """Return a function that creates the counters of one process. Each call simulates another process."""
    configure_logging(settings_for("sqlite:///unused.db", valkey_url, tmp_path), "test")
    return lambda url=valkey_url: Counters(settings_for("sqlite:///unused.db", url, tmp_path))


def wait_until(condition: Callable[[], bool], seconds: float = 3) -> None:
    deadline = time.monotonic() + scaled(seconds)
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_attempts_over_the_limit_are_refused_until_the_first_expires(
    create_counters: Callable[..., Counters],
) -> None:
    limiter, key = AttemptLimiter(create_counters(), 3, seconds=1), uuid4().hex
    verdicts = [limiter.hit(key) for _ in range(4)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert [verdict.remaining for verdict in verdicts] == [2, 1, 0, 0]
    assert verdicts[3].reset_seconds == 1
    time.sleep(1.05)
    assert limiter.hit(key).allowed


def test_processes_share_an_exact_count_of_attempts(create_counters: Callable[..., Counters]) -> None:
    limiters, key = [AttemptLimiter(create_counters(), 10) for _ in range(4)], uuid4().hex
    with ThreadPoolExecutor(8) as pool:
        verdicts = list(pool.map(lambda n: limiters[n % 4].hit(key), range(40)))
    assert sum(verdict.allowed for verdict in verdicts) == 10


def test_the_strictest_of_several_keys_decides(create_counters: Callable[..., Counters]) -> None:
    limiter, account = AttemptLimiter(create_counters(), 2), uuid4().hex
    assert [limiter.hit(uuid4().hex, account).allowed for _ in range(3)] == [True, True, False]


def test_keys_in_valkey_expire(create_counters: Callable[..., Counters]) -> None:
    counters, key = create_counters(), uuid4().hex
    AttemptLimiter(counters, 3).hit(key)
    RequestCounter(counters, 3).hit(key)
    wait_until(lambda: len(counters.redis.keys(f"{PREFIX}*{key}*")) == 2)
    assert all(0 < counters.redis.ttl(name) <= 120 for name in counters.redis.keys(f"{PREFIX}*{key}*"))


def test_processes_share_request_counts_within_seconds(create_counters: Callable[..., Counters]) -> None:
    one, other = (RequestCounter(create_counters(), 10, seconds=3600) for _ in range(2))
    key = uuid4().hex
    assert [one.hit(key).allowed for _ in range(11)] == [True] * 10 + [False]
    assert other.hit(key).allowed
    wait_until(lambda: not other.hit(key).allowed)
    assert other.hit(uuid4().hex).allowed


def test_a_new_window_starts_at_zero(create_counters: Callable[..., Counters]) -> None:
    counter, key = RequestCounter(create_counters(), 1, seconds=1), uuid4().hex
    assert counter.hit(key).allowed
    wait_until(lambda: counter.hit(key).allowed)


def test_ten_light_requests_count_as_one(create_counters: Callable[..., Counters]) -> None:
    counter, key = RequestCounter(create_counters(), 2, seconds=3600), uuid4().hex
    assert all(counter.hit(key, LIGHT).allowed for _ in range(20))
    assert not counter.hit(key, LIGHT).allowed


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "refusing"])
def test_without_valkey_limits_work_in_memory_without_delay(
    silent: bool, create_counters: Callable[..., Counters], capsys: pytest.CaptureFixture[str]
) -> None:
    with Proxy(None) as blackhole:
        port = blackhole.port if silent else free_port()
        counters = create_counters(f"redis://127.0.0.1:{port}/0")
        limiter, counter, key = AttemptLimiter(counters, 3), RequestCounter(counters, 3), uuid4().hex
        # The first call imports libraries, so call once before the measurement.
        create_counters().check()
        limiter._in_valkey, limiter._in_memory  # noqa: B018
        times = []
        for _ in range(50):
            started = time.monotonic()
            verdict = limiter.hit(key)
            times.append(time.monotonic() - started)
        assert [counter.hit(key).allowed for _ in range(4)] == [True, True, True, False]
        assert not verdict.allowed
        # After the first failure the next calls do not wait for Valkey: 50 waits would take 5 s.
        assert sum(times) < scaled(2)
        assert logged_changes(capsys) == ["memory"]
        with pytest.raises(CountersUnavailable):
            counters.check()


def test_counting_returns_to_valkey_and_is_logged_after_it_recovers(
    valkey_url: str, create_counters: Callable[..., Counters], capsys: pytest.CaptureFixture[str]
) -> None:
    with Proxy(target_of(valkey_url)) as line:
        counters = create_counters(f"redis://127.0.0.1:{line.port}/0")
        limiter = AttemptLimiter(counters, 100)
        assert limiter.hit("a").allowed
        line.freeze()
        limiter.hit("a")
        assert counters.unavailable
        wait_until(lambda: limiter.hit("a").allowed and not counters.unavailable, PROBE_SECONDS + 2)
        assert logged_changes(capsys) == ["memory", "valkey"]


def logged_changes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the logged values of `counting_in`, in order."""
    lines = [line for line in capsys.readouterr().out.splitlines() if "rate_limit_changed" in line]
    return [str(json.loads(line)["counting_in"]) for line in lines]
