"""Live events over a real Valkey: delivery, slow readers, end of streams."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from backend.infra import pubsub
from backend.infra.pubsub import BUFFERED_MESSAGES, Publisher, Signal, Subscriber, Subscription
from backend.infra.redis import connect
from backend.settings import Settings, load_settings
from tests.time_limits import scaled

SECONDS = 10.0


@pytest.fixture
def settings(valkey_url: str) -> Settings:
    """Return settings for the tests' Valkey. These tests need no database."""
    return load_settings(REDIS_URL=valkey_url)


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[Subscriber]:
    subscriber = Subscriber(settings)
    try:
        yield subscriber
    finally:
        await subscriber.close()


async def connected(subscription: Subscription) -> None:
    assert await subscription.next(SECONDS) is Signal.MAY_HAVE_MISSED


async def publish(settings: Settings, channel: str, message: bytes) -> None:
    await asyncio.to_thread(Publisher(settings).publish, channel, message)


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 30))


def test_a_message_reaches_all_streams_of_its_channel_only(settings: Settings) -> None:
    async def work() -> None:
        async with (
            listening(settings) as subscriber,
            subscriber.subscribe("a") as one,
            subscriber.subscribe("a") as two,
        ):
            async with subscriber.subscribe("b") as other:
                for subscription in (one, two, other):
                    await connected(subscription)
                await publish(settings, "a", b"\x00bytes\n")
                assert await one.next(SECONDS) == b"\x00bytes\n"
                assert await two.next(SECONDS) == b"\x00bytes\n"
                assert await other.next(0.1) is Signal.END
            await publish(settings, "a", b"next")
            assert await one.next(SECONDS) == b"next"

    run(work)


def test_a_stream_that_starts_later_gets_later_messages(settings: Settings) -> None:
    async def work() -> None:
        async with listening(settings) as subscriber, subscriber.subscribe("a") as one:
            await connected(one)
            async with subscriber.subscribe("late") as late:
                await publish(settings, "late", b"hello")
                assert await late.next(SECONDS) == b"hello"

    run(work)


def test_streams_that_start_together_all_get_their_messages(settings: Settings) -> None:
    async def stream(subscriber: Subscriber, channel: str) -> None:
        async with subscriber.subscribe(channel) as subscription:
            await connected(subscription)
            await publish(settings, channel, channel.encode())
            assert await subscription.next(SECONDS) == channel.encode()

    async def work() -> None:
        async with listening(settings) as subscriber:
            await asyncio.gather(*(stream(subscriber, f"channel-{number}") for number in range(20)))
            assert count_subscriptions(settings, "channel-*") == 0

    run(work)


def count_subscriptions(settings: Settings, pattern: str) -> int:
    client = connect(settings)
    deadline = time.monotonic() + scaled(5)
    while client.pubsub_channels(pattern) and time.monotonic() < deadline:
        time.sleep(0.01)
    return len(client.pubsub_channels(pattern))


def test_after_the_last_stream_ends_nothing_reconnects(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pubsub, "RECONNECT_SECONDS", 0.01)

    async def work() -> None:
        async with listening(settings) as subscriber:
            async with subscriber.subscribe("first") as subscription:
                await connected(subscription)
            await asyncio.sleep(0.3)
            async with subscriber.subscribe("second") as subscription:
                await connected(subscription)
                await publish(settings, "second", b"again")
                assert await subscription.next(SECONDS) == b"again"

    run(work)
    assert "subscription_lost" not in capsys.readouterr().out


def test_a_reader_with_a_full_buffer_gets_the_snapshot_signal(settings: Settings) -> None:
    async def work() -> None:
        async with (
            listening(settings) as subscriber,
            subscriber.subscribe("a") as slow,
            subscriber.subscribe("b") as quick,
        ):
            await connected(slow)
            await connected(quick)
            publisher = Publisher(settings)
            for number in range(BUFFERED_MESSAGES + 1):
                await asyncio.to_thread(publisher.publish, "a", str(number).encode())
            for channel in ("a", "b"):
                await asyncio.to_thread(publisher.publish, channel, b"last")
            assert await quick.next(SECONDS) == b"last"
            assert await slow.next(SECONDS) is Signal.MAY_HAVE_MISSED
            assert await slow.next(SECONDS) == b"last"

    run(work)


def test_all_streams_end_immediately_when_the_process_stops(settings: Settings) -> None:
    async def work() -> None:
        async with listening(settings) as subscriber, subscriber.subscribe("a") as subscription:
            subscriber.end_streams()
            assert await subscription.next(SECONDS) is Signal.END
            async with subscriber.subscribe("b") as late:
                assert await late.next(SECONDS) is Signal.END

    run(work)


def test_a_stream_ends_at_its_timeout(settings: Settings) -> None:
    async def work() -> None:
        async with listening(settings) as subscriber, subscriber.subscribe("a") as subscription:
            await connected(subscription)
            assert await subscription.next(0.01) is Signal.END
            assert await subscription.next(-5) is Signal.END

    run(work)
