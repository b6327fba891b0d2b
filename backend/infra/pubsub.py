"""Live events over Valkey: any process publishes; each web process shares one subscriber connection."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

import structlog
from prometheus_client import Counter

from backend.infra.redis import connect, connect_async
from backend.settings import Settings

if TYPE_CHECKING:
    from pybreaker import CircuitBreaker
    from redis import Redis
    from redis.asyncio.client import PubSub

log = structlog.get_logger(__name__)

RECONNECT_SECONDS = 1.0
# After this time without a message, send a ping. After the same time again, reconnect.
SILENCE_SECONDS = 15.0
BUFFERED_MESSAGES = 256
PUBLISH_FAILURES = Counter("publish_failures_total", "Live events that could not be published to Valkey.")


class Publisher:
    """Publishes messages. A lost message is acceptable, because streams start with a snapshot."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _breaker(self) -> "CircuitBreaker":
        # pybreaker imports redis, which would delay process start by 100 ms.
        from backend.infra.breaker import create_breaker

        return create_breaker("pubsub")

    @cached_property
    def redis(self) -> "Redis":
        return connect(self._settings)

    def publish(self, channel: str, message: bytes) -> None:
        """Send `message` to all subscribers of `channel`. Never raises: failures are logged and counted."""
        try:
            self._breaker.call(self.redis.publish, channel, message)
        except Exception as error:
            PUBLISH_FAILURES.inc()
            log.warning("publish_failed", error=type(error).__name__)


class Signal(Enum):
    """Control messages of a subscription."""

    MAY_HAVE_MISSED = "read a snapshot: messages may have been lost"
    END = "stop: the process is stopping, or the timeout expired"


class Subscription:
    """The message buffer of one stream."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[bytes | Signal] = asyncio.Queue(BUFFERED_MESSAGES)

    async def next(self, timeout: float) -> bytes | Signal:
        """Return the next message or signal. Returns Signal.END after `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                return await self._messages.get()
        except TimeoutError:
            return Signal.END

    def offer(self, message: bytes | Signal) -> None:
        """Add a message. If the buffer is full, replace its content by Signal.MAY_HAVE_MISSED."""
        if self._messages.full() or message is Signal.END:
            while not self._messages.empty():
                self._messages.get_nowait()
            message = Signal.END if message is Signal.END else Signal.MAY_HAVE_MISSED
        self._messages.put_nowait(message)


class Subscriber:
    """Shares one Valkey connection between all streams of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._streams: dict[str, set[Subscription]] = defaultdict(set)
        self._reader: asyncio.Task[None] | None = None
        self._pubsub: PubSub | None = None
        self._wanted = asyncio.Event()
        self._stopping = False

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Subscription]:
        """Subscribe to a channel within the block. While Valkey is unavailable, no messages arrive."""
        subscription = Subscription()
        first = not self._streams[channel]
        self._streams[channel].add(subscription)
        try:
            self._start_reading()
            if self._stopping:
                subscription.offer(Signal.END)
            if first:
                await self._subscribe_on_server(channel)
            yield subscription
        finally:
            self._streams[channel].discard(subscription)
            if not self._streams[channel]:
                del self._streams[channel]
                await self._unsubscribe(channel)

    def end_streams(self) -> None:
        """End all streams, now and in future, because the process is stopping."""
        self._stopping = True
        self._offer_to_all(Signal.END)

    async def close(self) -> None:
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None

    def _start_reading(self) -> None:
        self._wanted.set()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_forever())

    async def _subscribe_on_server(self, channel: str) -> None:
        # The reader subscribes to all channels when it connects, so a failure here only causes a delay.
        with contextlib.suppress(Exception):
            if self._pubsub is not None:
                await self._pubsub.subscribe(channel)

    async def _unsubscribe(self, channel: str) -> None:
        if not self._streams:
            self._wanted.clear()
        with contextlib.suppress(Exception):
            if self._pubsub is not None:
                await self._pubsub.unsubscribe(channel)

    async def _read_forever(self) -> None:
        while True:
            await self._wanted.wait()
            try:
                await self._read()
            except Exception as error:
                log.warning("subscription_lost", error=type(error).__name__)
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _read(self) -> None:
        """Subscribe to all channels, and deliver messages until the last stream ends."""
        client = connect_async(self._settings)
        try:
            pubsub = client.pubsub()
            await pubsub.subscribe(*self._streams)
            self._pubsub = pubsub
            # Streams that started while this connected are not subscribed yet.
            await pubsub.subscribe(*self._streams)
            self._offer_to_all(Signal.MAY_HAVE_MISSED)
            await self._deliver(pubsub)
        finally:
            self._pubsub = None
            await client.aclose()

    async def _deliver(self, pubsub: "PubSub") -> None:
        pinged = False
        while self._streams:
            message = await pubsub.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                if pinged:
                    raise TimeoutError
                await pubsub.ping()
                pinged = True
                continue
            pinged = False
            if message["type"] == "message":
                for subscription in tuple(self._streams.get(message["channel"].decode(), ())):
                    subscription.offer(message["data"])

    def _offer_to_all(self, message: Signal) -> None:
        for subscriptions in self._streams.values():
            for subscription in subscriptions:
                subscription.offer(message)
