"""The protocol, driven by a real client over a real server: what is asked once is answered once, whatever breaks."""

import asyncio

from tests.chatbot.conftest import Node
from tests.chatbot.rows import Shop


async def test_an_answer_streams_and_is_saved(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        welcome = await client.hello(opened)
        assert (welcome["seq"], welcome["resumed"]) == (0, True)
        turn = await client.ask("How long does delivery take?")
        text = await client.until_done(turn)
    assert "€4.90" in text
    kinds = [frame["t"] for frame in client.frames]
    assert kinds[:3] == ["welcome", "ok", "start"]
    assert kinds.count("d") > 3
    assert client.seen.finished[turn]["finish"] == "stop"
