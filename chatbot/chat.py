"""The assistant's shared objects of a process, opened and closed together; ``state.chat`` of every request."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypedDict
from urllib.parse import urlsplit

from jinja2 import Environment

from chatbot.assistant import Assistant, Source
from chatbot.builtin import builtin_source
from chatbot.counters import Counters
from chatbot.events import MAX_QUESTION
from chatbot.fanout import Fanout, Message
from chatbot.limits import Limits
from chatbot.model_source import ModelSource
from chatbot.pages import make_templates
from chatbot.rooms import Rooms
from chatbot.shelf import Shelves
from chatbot.texts import AllTexts, Texts, load_texts
from chatbot.watch import Watch, sweep_orphans
from recovery.llm import Llm
from recovery.models import Store
from recovery.runtime import Runtime, addresses
from recovery.stores.registry import in_force


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
    counters: Counters
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

    async def texts_for(self, store: Store) -> Texts:
        """The words of a store's language, in its form of address."""
        return self.texts.of(store.language, formal=(await in_force(store)).settings.form_of_address == "formal")

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
    llm = Llm(private_hosts=runtime.settings.allow_private_hosts)

    def receive(conversation: str, message: Message) -> None:
        rooms.receive(conversation, message)
        assistant.receive(conversation, message)

    fanout = Fanout(addresses(runtime.settings)[1], node, bounds.redis_seconds, receive)
    builtin = builtin_source(texts, bounds, shelves, runtime.clock)
    chosen = source or ModelSource(llm, builtin, shelves, texts, bounds, runtime).source()
    assistant = Assistant(node, chosen, fanout, bounds, runtime)
    watch = asyncio.create_task(Watch(rooms, assistant, fanout, bounds, runtime).run(), name="watch")
    counters = Counters(addresses(runtime.settings)[1], bounds)
    fanout.start()
    counters.start()
    try:
        yield Chat(
            runtime=runtime,
            limits=bounds,
            texts=texts,
            templates=make_templates(),
            rooms=rooms,
            fanout=fanout,
            assistant=assistant,
            counters=counters,
            shelves=shelves,
        )
    finally:
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await assistant.close()
        await shelves.close()
        await llm.close()
        await fanout.close()
        await counters.close()


def origin_of(url: str) -> str:
    """Scheme, host and port of ``url`` as a browser writes an origin."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}"
