"""Carries what happens in a conversation to every node that shows it: Redis pub/sub beside direct local delivery.

Pub/sub is at most once and never the record: while Redis is away ``away`` is true, everything still reaches the sockets
of this node, and the polling of ``watch`` fetches from the database what came from elsewhere. Once Redis is back every
conversation gets ``{"k": "look"}``: look at the database, something may have been missed.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson
import redis.asyncio
import redis.exceptions
import structlog
from redis.asyncio.client import PubSub

UNAVAILABLE = (redis.exceptions.RedisError, OSError, TimeoutError)
RETRY_SECONDS = 1.0

Message = dict[str, Any]
log = structlog.get_logger()


class Fanout:
    """One subscriber connection per process, joined by conversation; ``receive`` gets each message once per node."""

    def __init__(
        self,
        redis_url: str,
        node: str,
        seconds: float,
        receive: Callable[[str, Message], None],
    ) -> None:
        self._node = node
        self._seconds = seconds
        self._receive = receive
        self._client = redis.asyncio.Redis.from_url(redis_url, socket_connect_timeout=seconds)
        self._members: Counter[str] = Counter()
        self._confirmed: dict[str, asyncio.Event] = {}
        self._rejoining: set[str] = set()
        self._pubsub: PubSub | None = None
        self._quiet_until = 0.0
        self._task: asyncio.Task[None] | None = None

    @property
    def away(self) -> bool:
        """Whether messages of other nodes don't arrive now."""
        return self._pubsub is None

    def start(self) -> None:
        """Begin to listen; without Redis it goes on trying."""
        self._task = asyncio.create_task(self._keep_listening(), name="fanout")

    async def close(self) -> None:
        """Stop listening and give the connections back."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    async def join(self, conversation: str) -> bool:
        """Hear of a conversation; whether the subscription is confirmed, so that nothing from now on is missed."""
        self._members[conversation] += 1
        pubsub = self._pubsub
        if pubsub is None:
            return False
        confirmed = self._confirmed.get(conversation)
        try:
            async with asyncio.timeout(self._seconds):
                if confirmed is None:
                    confirmed = self._confirmed[conversation] = asyncio.Event()
                    await pubsub.subscribe(_channel(conversation))
                await confirmed.wait()
        except UNAVAILABLE:
            return False
        return True

    async def leave(self, conversation: str) -> None:
        """No longer hear of a conversation, once for each ``join``."""
        self._members[conversation] -= 1
        if self._members[conversation] > 0:
            return
        self._members.pop(conversation)
        self._confirmed.pop(conversation, None)
        if self._pubsub is not None:
            with contextlib.suppress(*UNAVAILABLE):
                async with asyncio.timeout(self._seconds):
                    await self._pubsub.unsubscribe(_channel(conversation))

    async def publish(self, conversation: str, *messages: Message) -> None:
        """Tell this node's sockets at once and other nodes through Redis; never raises, never waits long."""
        for message in messages:
            self._receive(conversation, message)
        if time.monotonic() < self._quiet_until:
            return
        try:
            async with asyncio.timeout(self._seconds):
                for message in messages:
                    await self._client.publish(_channel(conversation), orjson.dumps(message | {"node": self._node}))
        except UNAVAILABLE as error:
            self._quiet_until = time.monotonic() + RETRY_SECONDS
            log.warning("fanout.unpublished", error=type(error).__name__)

    async def _keep_listening(self) -> None:
        while True:
            pubsub = self._client.pubsub()
            try:
                await self._listen(pubsub)
            except UNAVAILABLE as error:
                if self._pubsub is not None:
                    log.warning("fanout.away", error=type(error).__name__)
            finally:
                self._pubsub = None
                self._confirmed.clear()
                with contextlib.suppress(*UNAVAILABLE):
                    await pubsub.aclose()
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, pubsub: PubSub) -> None:
        async with asyncio.timeout(self._seconds):
            # The node's own channel keeps the connection subscribed while no conversation is.
            await pubsub.subscribe(f"cartback:node:{self._node}")
        self._pubsub = pubsub
        await self._rejoin(pubsub)
        async for message in pubsub.listen():
            self._take(message)

    async def _rejoin(self, pubsub: PubSub) -> None:
        known = list(self._members)
        self._rejoining = set(known)
        self._confirmed = {conversation: asyncio.Event() for conversation in known}
        if known:
            async with asyncio.timeout(self._seconds):
                await pubsub.subscribe(*map(_channel, known))

    def _take(self, message: Message) -> None:
        conversation = message["channel"].decode().removeprefix("conv:")
        if message["type"] == "subscribe":
            confirmed = self._confirmed.get(conversation)
            if confirmed is not None:
                confirmed.set()
            if conversation in self._rejoining:
                self._rejoining.discard(conversation)
                self._receive(conversation, {"k": "look"})
        elif message["type"] == "message":
            content = orjson.loads(message["data"])
            if content.pop("node", None) != self._node:
                self._receive(conversation, content)


def _channel(conversation: str) -> str:
    return f"conv:{conversation}"
