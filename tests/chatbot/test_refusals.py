"""What the assistant's socket refuses: too much, foreign pages, forged sessions, frames that are none."""

import uuid
from dataclasses import replace

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin, Subprotocol

from recovery import db
from tests.chatbot.conftest import BRISK, Node, StartNode
from tests.chatbot.rows import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_questions_are_limited_per_minute(start_node: StartNode, shop: Shop) -> None:
    async with start_node(replace(BRISK, questions_per_minute=2)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            for _ in range(2):
                await client.until_done(await client.ask("Thanks"))
            turn = await client.ask("Thanks")
            refused = await client.until("err")
    assert (refused["code"], refused["ref"]) == ("rate", turn)
    assert 1000 <= refused["after_ms"] <= 60_000


async def test_questions_are_limited_per_day(start_node: StartNode, shop: Shop) -> None:
    async with start_node(replace(BRISK, questions_per_day=1)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            await client.until_done(await client.ask("Thanks"))
            await client.ask("Thanks")
            assert (await client.until("err"))["code"] == "day_limit"


async def test_a_fourth_socket_is_refused(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as one, node.client() as two, node.client() as three, node.client() as four:
        for client in (one, two, three):
            await client.hello(opened)
        await four.send(t="hello", session=opened["session"], conv=opened["conv"], last_seq=0)
        assert await four.closed() == 4409


async def test_an_address_has_so_many_sockets(start_node: StartNode) -> None:
    async with (
        start_node(replace(BRISK, sockets_per_address=2)) as node,
        node.client(),
        node.client(),
        node.client() as third,
    ):
        assert await third.closed() == 4409


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_foreign_origins_are_refused_before_the_handshake(node: Node, origin: str | None) -> None:
    address = node.base.replace("http://", "ws://") + "/ws"
    with pytest.raises(InvalidStatus) as refused:
        await connect(address, subprotocols=[Subprotocol("cartback.v1")], origin=Origin(origin) if origin else None)
    assert refused.value.response.status_code == 403


async def test_another_protocol_is_refused_before_the_handshake(node: Node) -> None:
    address = node.base.replace("http://", "ws://") + "/ws"
    with pytest.raises(InvalidStatus) as refused:
        await connect(address, subprotocols=[Subprotocol("cartback.v9")], origin=Origin(node.chat.origin))
    assert refused.value.response.status_code == 403


async def test_who_says_no_hello_is_closed(start_node: StartNode) -> None:
    async with start_node(replace(BRISK, hello_seconds=0.2)) as node, node.client() as client:
        assert await client.closed() == 4408


async def test_three_frames_before_the_hello_are_kept_and_no_more(node: Node) -> None:
    async with node.client() as client:
        for _ in range(4):
            await client.send(t="ping", n=1)
        assert await client.closed() == 4400


async def test_three_frames_before_the_welcome_are_kept_and_no_more(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    for frames in (3, 4):
        async with node.client() as client:
            async with db.in_transaction() as other:
                # Nobody can look the conversation up, so the welcome has to wait.
                await other.execute_query("LOCK TABLE conversation IN ACCESS EXCLUSIVE MODE")
                await client.send(t="hello", session=opened["session"], conv=opened["conv"], last_seq=0)
                for number in range(frames):
                    await client.send(t="ping", n=number)
                if frames > 3:
                    assert await client.closed(2) == 4400
            if frames == 3:
                kinds = [await client.receive() for _ in range(4)]
                assert [frame["t"] for frame in kinds] == ["welcome", "pong", "pong", "pong"]


@pytest.mark.parametrize("session", ["", "a.b.c", "\x00", "é" * 50])
async def test_a_forged_session_is_refused(node: Node, shop: Shop, session: str) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.send(t="hello", session=session, conv=opened["conv"], last_seq=0)
        assert await client.closed() == 4403


async def test_a_session_opens_its_own_conversation_only(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.send(t="hello", session=opened["session"], conv=str(uuid.uuid4()), last_seq=0)
        assert await client.closed() == 4403


BAD_FRAMES = [
    "",
    "nonsense",
    "[]",
    "null",
    '{"t":"msg"}',
    '{"t":"nope"}',
    '{"t":"msg","id":"x","text":"hi"}',
    '{"t":"msg","id":5,"text":"hi"}',
    '{"t":"vote","msg":"7b0e8a2e-4f3d-4f4f-9a55-0d6a6a4f9e10","v":true}',
    '{"t":"msg","id":"7b0e8a2e-4f3d-4f4f-9a55-0d6a6a4f9e10","text":"\\ud800"}',
    "[" * 8000,
    b"\x80\xff",
]


@pytest.mark.parametrize("frame", BAD_FRAMES)
async def test_bad_frames_are_answered_and_the_third_closes(node: Node, shop: Shop, frame: str | bytes) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await client.socket.send(frame)
        assert (await client.until("err"))["code"] == "bad_message"
        for _ in range(2):
            await client.socket.send(frame)
        assert await client.closed() == 4400


async def test_too_long_and_empty_questions_are_refused_by_name(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        for text, code in ((" \x00 ", "empty"), ("ż" * 1201, "too_long")):
            turn = await client.ask(text)
            refused = await client.until("err")
            assert (refused["code"], refused["ref"]) == (code, turn)
        assert await client.until_done(await client.ask("ż" * 1200))


async def test_a_huge_frame_is_a_protocol_error(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await client.ask("x" * 17_000)
        assert await client.closed() == 1009


async def test_a_flood_of_frames_is_closed(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        for number in range(60):
            await client.send(t="ping", n=number)
        assert await client.closed() == 4429
