"""The assistant's shared objects of a process, opened and closed together; ``state.chat`` of every request."""

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import urlsplit

from jinja2 import Environment

from chatbot.assistant import Assistant, Source
from chatbot.builtin import builtin_source
from chatbot.events import MAX_QUESTION
from chatbot.fanout import Fanout, Message
from chatbot.limits import Limits
from chatbot.pages import make_templates
from chatbot.rooms import Rooms
from chatbot.shelf import Shelves
from chatbot.texts import AllTexts, load_texts
from chatbot.watch import Watch, sweep_orphans
from recovery.runtime import Runtime, addresses


class Addresses:
    """How many sockets each address holds on this node."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._count: Counter[str] = Counter()

    @contextmanager
    def one_more(self, address: str) -> Iterator[bool]:
        """Count a socket while the block runs; whether the address may have it."""
        self._count[address] += 1
        try:
            yield self._count[address] <= self._limit
        finally:
            self._count[address] -= 1
            if not self._count[address]:
                del self._count[address]


@dataclass(frozen=True)
class Chat:
    """What pages and sockets need beside the runtime."""

    runtime: Runtime
    limits: Limits
    texts: AllTexts
    templates: Environment
    rooms: Rooms
    fanout: Fanout
    assistant: Assistant
    addresses: Addresses
    shelves: Shelves

    @property
    def origin(self) -> str:
        """The only origin whose pages may open a socket, as a browser writes it."""
        return origin_of(self.runtime.settings.public_url)

    def client_limits(self) -> dict[str, Any]:
        """What a page should know of the limits."""
        return {
            "text": MAX_QUESTION,
            "per_minute": self.limits.questions_per_minute,
            "per_day": self.limits.questions_per_day,
        }

    async def sweep_orphans(self) -> int:
        """Take over turns whose producer is gone; for the worker, every few seconds."""
        return await sweep_orphans(self.assistant, self.limits.sweep_turns)


class ChatState(TypedDict):
    """What the web process's lifespan state holds for this package, beside ``runtime``."""

    chat: Chat


@asynccontextmanager
async def open_chat(
    runtime: Runtime, limits: Limits | None = None, source: Source | None = None
) -> AsyncIterator[Chat]:
    """Open the assistant on this node; on the way out running answers end or are given away.

    Raises:
        SetupError: the address of Redis is missing.
    """
    bounds = limits or Limits()
    node = secrets.token_hex(8)
    texts = load_texts()
    rooms = Rooms()
    shelves = Shelves(texts)

    def receive(conversation: str, message: Message) -> None:
        rooms.receive(conversation, message)
        assistant.receive(conversation, message)

    fanout = Fanout(addresses(runtime.settings)[1], node, bounds.redis_seconds, receive)
    assistant = Assistant(node, source or builtin_source(texts, bounds, shelves), fanout, bounds, runtime)
    watch = asyncio.create_task(Watch(rooms, assistant, fanout, bounds, runtime).run(), name="watch")
    fanout.start()
    try:
        yield Chat(
            runtime=runtime,
            limits=bounds,
            texts=texts,
            templates=make_templates(),
            rooms=rooms,
            fanout=fanout,
            assistant=assistant,
            addresses=Addresses(bounds.sockets_per_address),
            shelves=shelves,
        )
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await assistant.close()
        await shelves.close()
        await fanout.close()


def origin_of(url: str) -> str:
    """Scheme, host and port of ``url`` as a browser writes an origin."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"
