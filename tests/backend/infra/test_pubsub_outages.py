"""Live events while Valkey starts late, restarts, hangs or is unavailable."""

import contextlib
import time

import pytest

from backend.infra import pubsub, redis
from backend.infra.pubsub import Publisher, Signal
from backend.settings import load_settings
from scripts.valkey import embedded_valkey, free_port
from tests.backend.infra.proxy import Proxy, target_of
from tests.backend.infra.test_pubsub import SECONDS, connected, listening, publish, run
from tests.time_limits import scaled


def test_a_stream_may_start_before_valkey(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "RECONNECT_SECONDS", 0.05)
    port = free_port()
    settings = load_settings(REDIS_URL=f"redis://127.0.0.1:{port}/0")

    async def work() -> None:
        async with listening(settings) as subscriber, subscriber.subscribe("a") as subscription:
            assert await subscription.next(0.1) is Signal.END
            with embedded_valkey(port):
                await connected(subscription)
                await publish(settings, "a", b"later")
                assert await subscription.next(SECONDS) == b"later"

    run(work)


def test_streams_get_the_snapshot_signal_and_continue_after_valkey_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "RECONNECT_SECONDS", 0.05)
    port = free_port()
    settings = load_settings(REDIS_URL=f"redis://127.0.0.1:{port}/0")

    async def work() -> None:
        async with listening(settings) as subscriber, contextlib.AsyncExitStack() as stack:
            with embedded_valkey(port):
                streams = [await stack.enter_async_context(subscriber.subscribe(name)) for name in ("a", "b")]
                for subscription in streams:
                    await connected(subscription)
            with embedded_valkey(port):
                for subscription, name in zip(streams, ("a", "b"), strict=True):
                    await connected(subscription)
                    await publish(settings, name, b"after")
                    assert await subscription.next(SECONDS) == b"after"

    run(work)


def test_a_hanging_valkey_causes_a_reconnect(valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pubsub, "RECONNECT_SECONDS", 0.05)
    monkeypatch.setattr(pubsub, "SILENCE_SECONDS", 0.2)
    with Proxy(target_of(valkey_url)) as proxy:
        settings = load_settings(REDIS_URL=f"redis://127.0.0.1:{proxy.port}/0")

        async def work() -> None:
            async with listening(settings) as subscriber, subscriber.subscribe("a") as subscription:
                await connected(subscription)
                assert await subscription.next(1) is Signal.END
                assert proxy.connections == 1, "an idle connection must not cause a reconnect"
                proxy.freeze()
                await connected(subscription)
                await publish(settings, "a", b"after")
                assert await subscription.next(SECONDS) == b"after"

        run(work)


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_publishing_fails_fast_while_valkey_is_unavailable(silent: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert redis.TIMEOUT_SECONDS <= 2
    monkeypatch.setattr(redis, "TIMEOUT_SECONDS", 0.3)
    with Proxy(None) as blackhole:
        port = blackhole.port if silent else free_port()
        publisher = Publisher(load_settings(REDIS_URL=f"redis://127.0.0.1:{port}/0"))
        seconds = []
        for _ in range(20):
            started = time.monotonic()
            publisher.publish("a", b"lost")
            seconds.append(time.monotonic() - started)
    # After two failures the next calls do not wait for Valkey: 18 waits would take 5 s.
    assert sum(seconds) < scaled(2)
