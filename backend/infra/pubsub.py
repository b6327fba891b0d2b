"""Live events through Valkey: publish from any process, one shared subscription connection per web process."""

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
# After this long without a message the server is asked for a sign of life, and after as long again given up.
SILENCE_SECONDS = 15.0
BUFFERED_MESSAGES = 256
PUBLISH_FAILURES = Counter("publish_failures_total", "Live events that Valkey did not take.")


class Publisher:
    """Publishes messages; losing one is allowed, since streams begin with a snapshot."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _breaker(self) -> "CircuitBreaker":
        # pybreaker imports redis, 100 ms that a starting process can do without.
        from backend.infra.breaker import create_breaker

        return create_breaker("pubsub")

    @cached_property
    def redis(self) -> "Redis":
        """The connection, made when first used."""
        return connect(self._settings)

    def publish(self, channel: str, message: bytes) -> None:
        """Send `message` to whoever listens on `channel`; log and go on when Valkey is away."""
        try:
            self._breaker.call(self.redis.publish, channel, message)
        except Exception as error:
            PUBLISH_FAILURES.inc()
            log.warning("publish_failed", error=type(error).__name__)


class Signal(Enum):
    """What a subscription yields besides messages."""

    MAY_HAVE_MISSED = "read a snapshot: messages may have been lost"
    END = "stop: the process is ending, or the time is over"


class Subscription:
    """What one stream receives."""

    def __init__(self) -> None:
        self._messages: asyncio.Queue[bytes | Signal] = asyncio.Queue(BUFFERED_MESSAGES)

    async def next(self, timeout: float) -> bytes | Signal:
        """Return the next message or signal; after `timeout` seconds, Signal.END."""
        try:
            async with asyncio.timeout(timeout):
                return await self._messages.get()
        except TimeoutError:
            return Signal.END

    def offer(self, message: bytes | Signal) -> None:
        """Hand over a message; a reader too slow for its buffer is told to read a snapshot instead."""
        if self._messages.full() or message is Signal.END:
            while not self._messages.empty():
                self._messages.get_nowait()
            message = Signal.END if message is Signal.END else Signal.MAY_HAVE_MISSED
        self._messages.put_nowait(message)


class Subscriber:
    """Shares one Valkey connection among all streams of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._streams: dict[str, set[Subscription]] = defaultdict(set)
        self._reader: asyncio.Task[None] | None = None
        self._pubsub: PubSub | None = None
        self._wanted = asyncio.Event()
        self._ending = False

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[Subscription]:
        """Listen on a channel within the block. Works without Valkey, silently, until that comes back."""
        subscription = Subscription()
        first = not self._streams[channel]
        self._streams[channel].add(subscription)
        try:
            self._start_reading()
            if self._ending:
                subscription.offer(Signal.END)
            if first:
                await self._tell_server(channel)
            yield subscription
        finally:
            self._streams[channel].discard(subscription)
            if not self._streams[channel]:
                del self._streams[channel]
                await self._forget(channel)

    def end_streams(self) -> None:
        """Tell every stream to end now, and those that begin later too: the process was told to stop."""
        self._ending = True
        self._offer_everyone(Signal.END)

    async def close(self) -> None:
        """Stop reading and close the connection."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
            self._reader = None

    def _start_reading(self) -> None:
        self._wanted.set()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read_forever())

    async def _tell_server(self, channel: str) -> None:
        # The reader subscribes to everything whenever it connects, so a failure here only delays.
        with contextlib.suppress(Exception):
            if self._pubsub is not None:
                await self._pubsub.subscribe(channel)

    async def _forget(self, channel: str) -> None:
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
        """Subscribe to everything, and hand messages over until nobody listens any more."""
        client = connect_async(self._settings)
        try:
            pubsub = client.pubsub()
            await pubsub.subscribe(*self._streams)
            self._pubsub = pubsub
            # Streams that began while this connected told nobody.
            await pubsub.subscribe(*self._streams)
            self._offer_everyone(Signal.MAY_HAVE_MISSED)
            await self._hand_over(pubsub)
        finally:
            self._pubsub = None
            await client.aclose()

    async def _hand_over(self, pubsub: "PubSub") -> None:
        asked = False
        while self._streams:
            message = await pubsub.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                if asked:
                    raise TimeoutError
                await pubsub.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "message":
                for subscription in tuple(self._streams.get(message["channel"].decode(), ())):
                    subscription.offer(message["data"])

    def _offer_everyone(self, message: Signal) -> None:
        for subscriptions in self._streams.values():
            for subscription in subscriptions:
                subscription.offer(message)
