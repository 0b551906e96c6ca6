"""The protocol, driven by a real client over a real server: what is asked once is answered once, whatever breaks."""

import asyncio
import json
import uuid
from dataclasses import replace

import pytest

from chatbot.models import ConversationEvent, Turn
from recovery import db as recovery_db
from recovery.models import Cart
from recovery.runtime import Runtime
from tests.chatbot.client import Client, Transcript
from tests.chatbot.conftest import BRISK, Node, StartNode
from tests.chatbot.rows import Shop, make_shop
from tests.chatbot.sources import EMOJI, Stalling, telling

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUESTION = "How long does delivery take?"


async def test_an_answer_streams_and_is_saved(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        welcome = await client.hello(opened)
        assert (welcome["seq"], welcome["resumed"]) == (0, True)
        turn = await client.ask(QUESTION)
        text = await client.until_done(turn)
    assert "€4.90" in text
    kinds = [frame["t"] for frame in client.frames]
    assert kinds[:3] == ["welcome", "ok", "start"]
    assert kinds.count("d") > 3
    assert client.seen.finished[turn]["finish"] == "stop"
    row = await Turn.get(client_id=turn)
    assert (row.status, row.answer, row.question, row.running_key) == ("done", text, QUESTION, None)
    assert row.first_text_at is not None
    assert row.finished_at is not None


async def test_a_question_sent_with_the_hello_is_answered(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        turn = await client.ask(QUESTION)
        await client.send(t="hello", session=opened["session"], conv=opened["conv"], last_seq=0)
        assert await client.until_done(turn)


async def test_one_link_is_one_conversation(node: Node, shop: Shop) -> None:
    first, second = await asyncio.gather(node.open(shop.token), node.open(shop.token))
    assert first["conv"] == second["conv"]


async def test_a_page_opened_again_shows_the_whole_talk(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        turn = await client.ask("What goes with it?")
        text = await client.until_done(turn)
    async with node.client() as again:
        assert (await again.hello(opened))["seq"] == client.seen.seq
        assert await again.until_done(turn) == text
    assert [frame["t"] for frame in again.frames] == ["welcome", "log"]
    assert again.seen.cards == client.seen.cards
    assert again.seen.questions == {turn: "What goes with it?"}


async def test_a_lost_socket_loses_nothing(start_node: StartNode, runtime: Runtime, empty: None) -> None:
    """Talks that lose their sockets after 1, 3, 5 … 15 frames, all at once."""
    async with start_node(source=telling(EMOJI * 3)) as node:

        async def talk(frames_before_drop: int) -> None:
            opened = await node.open((await make_shop(runtime, name=f"shop{frames_before_drop}")).token)
            seen, turn = Transcript(), str(uuid.uuid4())
            async with node.client(seen) as client:
                await client.hello(opened)
                await client.ask("Does it fit?", turn)
                for _ in range(frames_before_drop):
                    await client.receive()
                client.socket.transport.abort()
            async with node.client(seen) as client:
                assert (await client.hello(opened))["resumed"]
                assert await client.until_done(turn) == EMOJI * 3
            assert list(seen.questions) == [turn]

        await asyncio.gather(*(talk(frames) for frames in range(1, 16, 2)))


async def test_every_drop_in_a_row(start_node: StartNode, shop: Shop) -> None:
    """A socket that lives for two frames at a time still brings the whole answer."""
    async with start_node(source=telling(EMOJI * 2)) as node:
        opened = await node.open(shop.token)
        seen, turn = Transcript(), str(uuid.uuid4())
        for _ in range(200):
            async with node.client(seen) as client:
                await client.hello(opened)
                if not seen.questions:
                    await client.ask("Does it fit?", turn)
                await client.receive()
                if seen.finished:
                    break
                client.socket.transport.abort()
        assert seen.texts == {turn: EMOJI * 2}


async def test_offsets_count_code_points(start_node: StartNode, shop: Shop) -> None:
    async with start_node(source=telling(EMOJI, size=1)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            turn = await client.ask("👩‍🔧?")
            assert await client.until_done(turn) == EMOJI
    slices = [frame for frame in client.frames if frame["t"] == "d"]
    assert [frame["off"] for frame in slices] == [sum(len(f["x"]) for f in slices[:at]) for at in range(len(slices))]
    assert client.seen.finished[turn]["len"] == len(EMOJI)
    assert client.seen.questions[turn] == "👩‍🔧?"


async def test_a_question_sent_again_is_asked_once(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    turn = str(uuid.uuid4())
    async with node.client() as client:
        await client.hello(opened)
        for _ in range(3):
            await client.ask(QUESTION, turn)
        await client.until_done(turn)
        await client.ask(QUESTION, turn)
        again = await client.until("ok")
    assert again["id"] == turn
    assert await Turn.all().count() == 1
    assert await ConversationEvent.filter(payload__contains={"t": "ok"}).count() == 1


async def test_two_sockets_see_the_same(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as one, node.client() as other:
        await one.hello(opened)
        await other.hello(opened)
        turn = await one.ask("What goes with it?")
        first, second = await asyncio.gather(one.until_done(turn), other.until_done(turn))
    assert first == second
    assert one.seen.cards == other.seen.cards
    assert one.seen.seq == other.seen.seq


async def test_two_nodes_see_the_same(start_node: StartNode, shop: Shop) -> None:
    async with start_node(source=telling(EMOJI * 2)) as here, start_node() as there:
        opened = await here.open(shop.token)
        async with here.client() as one, there.client() as other:
            await one.hello(opened)
            await other.hello(opened)
            turn = await one.ask("Does it fit?")
            assert await other.until_done(turn) == EMOJI * 2
            assert sum(frame["t"] == "d" for frame in other.frames) > 3


async def test_joining_in_the_middle_on_another_node(start_node: StartNode, shop: Shop) -> None:
    async with start_node(source=telling(EMOJI * 4)) as here, start_node() as there:
        opened = await here.open(shop.token)
        async with here.client() as one:
            await one.hello(opened)
            turn = await one.ask("Does it fit?")
            while len(one.seen.texts.get(turn, "")) < 60:
                await one.receive()
            async with there.client() as other:
                await other.hello(opened)
                assert await other.until_done(turn) == EMOJI * 4


async def test_cancel_keeps_what_was_written(start_node: StartNode, shop: Shop) -> None:
    async with start_node(source=Stalling().source()) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            turn = await client.ask("Does it fit?")
            await client.until("d")
            await client.send(t="cancel", turn=turn)
            assert await client.until_done(turn, 2) == "First words. "
    assert client.seen.finished[turn]["finish"] == "cancelled"


async def test_cancel_from_another_node(start_node: StartNode, shop: Shop) -> None:
    async with start_node(source=Stalling().source()) as here, start_node() as there:
        opened = await here.open(shop.token)
        async with here.client() as one, there.client() as other:
            await one.hello(opened)
            await other.hello(opened)
            turn = await one.ask("Does it fit?")
            await other.until("d")
            await other.send(t="cancel", turn=turn)
            await asyncio.gather(one.until_done(turn, 2), other.until_done(turn, 2))
    assert one.seen.finished[turn]["finish"] == "cancelled"


async def test_a_lost_socket_does_not_cancel(start_node: StartNode, shop: Shop) -> None:
    stalling = Stalling()
    async with start_node(source=stalling.source()) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            turn = await client.ask("Does it fit?")
            await client.until("d")
        stalling.go_on.set()
        async with node.client(client.seen) as again:
            await again.hello(opened)
            assert await again.until_done(turn) == "First words. Last words."


async def test_one_answer_at_a_time(start_node: StartNode, shop: Shop) -> None:
    async with start_node(source=Stalling().source()) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            first = await client.ask("Does it fit?")
            await client.until("d")
            second = await client.ask("And this?")
            refused = await client.until("err")
            assert (refused["code"], refused["ref"], refused["retry"]) == ("busy", second, True)
            await client.send(t="cancel", turn=first)
            await client.until_done(first)
            await client.ask("And this?", second)
            await client.until("start")


async def test_retry_asks_the_same_once_more_and_once_only(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        turn = await client.ask(QUESTION)
        text = await client.until_done(turn)
        await client.send(t="retry", turn=turn)
        stored = await client.until("ok")
        assert stored["retry_of"] == turn
        assert await client.until_done(stored["id"]) == text
        await client.send(t="retry", turn=turn)
        assert (await client.until("ok"))["id"] == stored["id"]
    assert await Turn.all().count() == 2


async def test_votes_are_kept_and_seen_by_all(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as one, node.client() as other:
        await one.hello(opened)
        await other.hello(opened)
        turn = await one.ask(QUESTION)
        await one.until_done(turn)
        await one.send(t="vote", msg=turn, v=1)
        assert (await other.until("vote"))["v"] == 1
        await one.send(t="vote", msg=str(uuid.uuid4()), v=1)
        assert (await one.until("err"))["code"] == "unknown_turn"
    assert (await Turn.get(client_id=turn)).vote == 1


async def test_ping_and_bye(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await client.send(t="ping", n=7)
        assert (await client.until("pong"))["n"] == 7
        await client.send(t="bye")
        assert await client.closed() == 1000


async def test_a_client_from_the_future_starts_anew(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    seen = Transcript()
    seen.seq = 99
    async with node.client(seen) as client:
        assert not (await client.hello(opened))["resumed"]


async def test_an_ended_conversation_closes_its_sockets(start_node: StartNode, shop: Shop) -> None:
    async with start_node(replace(BRISK, watch_seconds=0.1)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            await shop.link.filter(jti=shop.link.jti).update(revoked_at=shop.link.created_at)
            assert await client.closed(3) == 4401
        await recovery_db.client().execute_query("UPDATE conversation SET status = 'erased'")
        async with node.client() as client:
            await client.send(t="hello", session=opened["session"], conv=opened["conv"], last_seq=0)
            assert await client.closed() == 4404


async def test_a_talk_whose_events_were_erased_ends_at_once(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await client.until_done(await client.ask("Thanks"))
    await ConversationEvent.all().delete()
    async with node.client() as another:
        await another.send(t="hello", session=opened["session"], conv=opened["conv"], last_seq=0)
        assert await another.closed(2) == 4404
    assert len(another.frames) < 3


async def test_sockets_are_told_when_the_cart_is_ordered_and_when_it_is_not(start_node: StartNode, shop: Shop) -> None:
    often = replace(BRISK, watch_seconds=0.1)
    async with start_node(often) as here, start_node(often) as there:
        opened = await here.open(shop.token)
        async with here.client() as one, there.client() as other:
            await one.hello(opened)
            await other.hello(opened)
            for status, ordered in (("ordered", True), ("inactive", False), ("ordered", True)):
                await Cart.filter(id=shop.cart.id).update(status=status)
                assert (await one.until("state"))["ordered"] is ordered
                assert (await other.until("state"))["ordered"] is ordered
            await one.until_done(await one.ask("Thanks"))
    assert await ConversationEvent.filter(payload__contains={"t": "state"}).count() == 3


@pytest.mark.parametrize("status", ["deleted", "merged"])
async def test_a_cart_that_goes_takes_its_talk_along(start_node: StartNode, shop: Shop, status: str) -> None:
    async with start_node(replace(BRISK, watch_seconds=0.1)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            await Cart.filter(id=shop.cart.id).update(status=status)
            assert await client.closed(2) == 4404
        async with node.client() as client:
            await client.send(t="hello", session=opened["session"], conv=opened["conv"], last_seq=0)
            assert await client.closed(2) == 4404


async def test_a_session_is_renewed_before_it_ends(start_node: StartNode, shop: Shop) -> None:
    async with start_node(replace(BRISK, watch_seconds=0.1, renew_seconds=899.9)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            fresh = (await client.until("renew"))["session"]
        async with node.client() as again:
            await again.hello(opened | {"session": fresh})


async def test_a_restart_closes_with_1012_and_the_answer_is_kept(start_node: StartNode, shop: Shop) -> None:
    seen = Transcript()
    async with start_node(replace(BRISK, drain_seconds=5), telling(EMOJI * 2)) as node:
        opened = await node.open(shop.token)
        client = await Client(node.base, seen, node.chat.origin).__aenter__()
        await client.hello(opened)
        turn = await client.ask("Does it fit?")
        await client.until("d")
    assert await client.closed() == 1012
    async with start_node() as node, node.client(seen) as client:
        await client.hello(opened)
        assert await client.until_done(turn) == EMOJI * 2


async def test_an_answer_too_long_for_a_restart_is_given_away_at_once(start_node: StartNode, shop: Shop) -> None:
    async with start_node(source=Stalling().source()) as node, node.client() as client:
        opened = await node.open(shop.token)
        await client.hello(opened)
        turn = await client.ask("Does it fit?")
        await client.until("d")
    async with start_node(replace(BRISK, watch_seconds=0.1)) as node, node.client(client.seen) as again:
        await again.hello(opened)
        # Long before its lease would have been over.
        assert await again.until_done(turn, 3) == "First words. "
    assert client.seen.finished[turn]["finish"] == "cut"


async def test_frames_never_hold_personal_data(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        for question in ("Who am I?", "What is my e-mail?", "price"):
            await client.until_done(await client.ask(question))
    written = json.dumps([opened, client.frames])
    assert "kowalski" not in written.lower()
    assert "Jan" not in written
