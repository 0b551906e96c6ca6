"""A store that has chosen the test server's model, and a talk with its assistant over the socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from chatbot.models import Turn, WithheldSentence
from recovery.runtime import Runtime
from recovery.stores.registry import find_store, save_settings
from tests.chatbot.client import Client
from tests.chatbot.conftest import BRISK, Node
from tests.chatbot.rows import Shop, make_link, make_shop
from tests.llm_server import KEY, MODEL, LlmServer

#: Quick enough for a test, slow enough for a busy machine.
PATIENT = replace(
    BRISK, first_text_seconds=1.0, next_text_seconds=0.8, turn_seconds=8, flush_seconds=0.2, drain_seconds=3
)
#: How much longer than its deadline an answer may take on a busy machine, the built-in answer included.
SLACK = 3.0


async def choose(runtime: Runtime, store: str, server: LlmServer, **more: Any) -> None:
    """Let a store be answered by the test server's model."""
    chosen = {"ai_provider": "openai", "ai_base_url": server.base_url, "ai_model": MODEL, "ai_api_key": KEY}
    await save_settings(runtime.keys.vault, store, chosen | more)


async def make_model_shop(runtime: Runtime, server: LlmServer, *, name: str = "demo", **more: Any) -> Shop:
    """The English store of rows.py with a model."""
    shop = await make_shop(runtime, name=name)
    store = await find_store(f"{name}-en/en")
    await choose(runtime, f"{name}-en/{store.code}", server, **more)
    return shop


async def another_talk(runtime: Runtime, shop: Shop) -> Shop:
    """A further link of the cart, and so a conversation of its own in the same store."""
    return await make_link(runtime, shop.store, shop.cart, runtime.now(), 60)


@dataclass(frozen=True)
class Answered:
    """What became of a question: the frames' end and the row."""

    text: str
    finish: str
    cards: list[dict[str, Any]]
    row: Turn

    async def withheld(self) -> list[WithheldSentence]:
        """What the gate held back."""
        return await WithheldSentence.filter(turn_id=self.row.id).order_by("id")


@asynccontextmanager
async def talk(node: Node, shop: Shop) -> AsyncIterator[Client]:
    """A client in the conversation of the shop's link."""
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        yield client


async def answered(client: Client, question: str, seconds: float = 12) -> Answered:
    """Ask and wait for the end."""
    return await ended(client, await client.ask(question), seconds)


async def ended(client: Client, turn: str, seconds: float = 12) -> Answered:
    """Wait for the end of an answer."""
    text = await client.until_done(turn, seconds)
    row = await Turn.get(client_id=turn)
    assert row.answer == text
    return Answered(text, client.seen.finished[turn]["finish"], client.seen.cards.get(turn, []), row)
