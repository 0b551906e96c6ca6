"""What breaks underneath an answer: Redis gone, its producer dead or asleep; nothing is lost or sold as whole."""

import asyncio
import os
import signal
import socket
import time
import uuid
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import pytest

from chatbot import turns
from chatbot.account import Account
from chatbot.assistant import Piece, Source
from chatbot.conversations import open_session
from chatbot.models import Turn
from chatbot.server import listen
from chatbot.turns import Claim, TakenOver
from recovery import db as recovery_db
from recovery.runtime import Runtime
from tests.chatbot.client import Client, Transcript
from tests.chatbot.conftest import BRISK, StartNode, wait_until
from tests.chatbot.node_program import node_process
from tests.chatbot.rows import Shop, make_shop
from tests.chatbot.sources import EMOJI, Stalling, telling

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUICK = replace(BRISK, watch_seconds=0.1, poll_seconds=0.1, turn_lease_seconds=1, turn_renew_seconds=0.3)
KERNEL_SOCKETS = Path("/proc/net/tcp")
#: The lease of a producer that is dead when the test begins.
SHORT = replace(QUICK, turn_lease_seconds=0.1)


@pytest.fixture
def dead_redis() -> str:
    """An address where nobody answers."""
    with listen("127.0.0.1", 0) as listener:
        port: int = listener.getsockname()[1]
    return f"redis://127.0.0.1:{port}/0"


async def orphan(shop: Shop, runtime: Runtime, shown: str) -> tuple[dict[str, str], str, TakenOver]:
    """A turn whose producer is gone after showing this much; the page's session and the turn."""
    opened = await open_session(runtime, shop.token, runtime.now())
    conversation, turn = opened.conversation.id, uuid.uuid4()
    asked = await turns.ask(conversation, turn, "Thanks", SHORT, runtime.now())
    assert asked.id is not None
    begun = await turns.claim(asked.id, conversation, "a node that died", SHORT, runtime.now())
    assert begun is not None
    assert begun.claim is not None
    if shown:
        await turns.flush(begun.claim, shown, "test", SHORT, runtime.now())
    return {"conv": str(conversation), "session": opened.session}, str(turn), begun


async def test_without_redis_an_answer_still_streams(start_node: StartNode, shop: Shop, dead_redis: str) -> None:
    async with start_node(redis=dead_redis, source=telling(EMOJI)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            began = time.monotonic()
            turn = await client.ask("Does it fit?")
            assert await client.until_done(turn) == EMOJI
            assert time.monotonic() - began < 3
    assert sum(frame["t"] == "d" for frame in client.frames) > 3


async def test_without_redis_another_node_is_slower_and_not_wrong(
    start_node: StartNode, shop: Shop, dead_redis: str
) -> None:
    limits = replace(BRISK, flush_bytes=40, poll_seconds=0.2)
    async with (
        start_node(limits, telling(EMOJI * 4, pause=0.03), redis=dead_redis) as here,
        start_node(limits, redis=dead_redis) as there,
    ):
        opened = await here.open(shop.token)
        async with here.client() as one, there.client() as other:
            await one.hello(opened)
            await other.hello(opened)
            turn = await one.ask("Does it fit?")
            assert await other.until_done(turn) == EMOJI * 4
            assert any(frame["t"] == "d" for frame in other.frames)


async def test_without_redis_a_cancel_on_another_node_arrives(
    start_node: StartNode, shop: Shop, dead_redis: str
) -> None:
    async with (
        start_node(QUICK, telling("word " * 400, pause=0.05), redis=dead_redis) as here,
        start_node(QUICK, redis=dead_redis) as there,
    ):
        opened = await here.open(shop.token)
        async with here.client() as one, there.client() as other:
            await one.hello(opened)
            await other.hello(opened)
            turn = await one.ask("Does it fit?")
            await other.until("d")
            await other.send(t="cancel", turn=turn)
            await one.until_done(turn)
    assert one.seen.finished[turn]["finish"] == "cancelled"


async def test_an_orphan_that_showed_nothing_is_answered_again(
    start_node: StartNode, shop: Shop, runtime: Runtime
) -> None:
    opened, turn, _ = await orphan(shop, runtime, "")
    async with start_node(QUICK) as node, node.client() as client:
        await client.hello(opened)
        assert await client.until_done(turn) == "You are welcome. Is there anything else?"
    assert client.seen.episodes[turn] == 2
    assert client.seen.finished[turn]["finish"] == "stop"


async def test_an_orphan_that_showed_something_is_marked_as_cut(
    start_node: StartNode, shop: Shop, runtime: Runtime
) -> None:
    opened, turn, _ = await orphan(shop, runtime, "You are 👩‍🔧")
    async with start_node(QUICK) as node, node.client() as client:
        await client.hello(opened)
        assert await client.until_done(turn) == "You are 👩‍🔧"
    assert client.seen.finished[turn]["finish"] == "cut"


async def test_a_question_nobody_began_is_answered(start_node: StartNode, shop: Shop, runtime: Runtime) -> None:
    opened = await open_session(runtime, shop.token, runtime.now())
    turn = uuid.uuid4()
    await turns.ask(opened.conversation.id, turn, "Thanks", SHORT, runtime.now())
    async with start_node(QUICK) as node, node.client() as client:
        await client.hello({"conv": str(opened.conversation.id), "session": opened.session})
        assert await client.until_done(str(turn))


async def test_the_worker_takes_over_where_nobody_looks(start_node: StartNode, shop: Shop, runtime: Runtime) -> None:
    async with start_node(QUICK) as node:
        _, turn, _ = await orphan(shop, runtime, "")
        assert await node.chat.sweep_orphans() == 0
        await asyncio.sleep(SHORT.turn_lease_seconds + 0.05)
        assert await node.chat.sweep_orphans() == 1
        async with asyncio.timeout(10):
            while (await Turn.get(client_id=turn)).finish is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert (await Turn.get(client_id=turn)).finish == "stop"


async def test_a_turn_that_kills_its_producers_is_given_up(shop: Shop, runtime: Runtime) -> None:
    _, turn, begun = await orphan(shop, runtime, "")
    assert begun.claim is not None
    for _ in range(turns.MAX_PRODUCERS):
        await recovery_db.client().execute_query("UPDATE turn SET lease_until = now() - interval '1 s'")
        await turns.take_over(begun.claim.id, begun.conversation, "another", QUICK, runtime.now())
    assert (await Turn.get(client_id=turn)).finish == "error"


async def test_a_lost_claim_writes_nothing(shop: Shop, runtime: Runtime) -> None:
    _, turn, begun = await orphan(shop, runtime, "")
    assert begun.claim is not None
    await recovery_db.client().execute_query("UPDATE turn SET lease_until = now() - interval '1 s'")
    await turns.take_over(begun.claim.id, begun.conversation, "another", QUICK, runtime.now())
    assert await turns.flush(begun.claim, "late words", None, QUICK, runtime.now()) is None
    assert await turns.finish(begun.claim, "late words", [], "stop", Account("test"), runtime.now()) is None
    row = await Turn.get(client_id=turn)
    assert (row.status, row.answer) == ("running", "")


async def test_a_late_producer_is_not_cut_by_its_own_node(start_node: StartNode, shop: Shop) -> None:
    """After an outage of the database that was longer than the lease."""
    stalling = Stalling()
    async with start_node(replace(QUICK, turn_renew_seconds=60), stalling.source()) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            turn = await client.ask("Does it fit?")
            await client.until("d")
            await recovery_db.client().execute_query("UPDATE turn SET lease_until = now() - interval '1 s'")
            await asyncio.sleep(0.5)
            stalling.go_on.set()
            assert await client.until_done(turn) == "First words. Last words."
    assert client.seen.finished[turn]["finish"] == "stop"


async def test_two_nodes_that_take_over_at_once_answer_once(
    start_node: StartNode, shop: Shop, runtime: Runtime
) -> None:
    opened, turn, _ = await orphan(shop, runtime, "")
    async with start_node(QUICK) as here, start_node(QUICK) as there, here.client() as one, there.client() as other:
        await one.hello(opened)
        await other.hello(opened)
        assert await one.until_done(turn) == await other.until_done(turn)
    assert one.seen.episodes[turn] == 2


async def test_an_answer_nobody_waits_for_ends(start_node: StartNode, shop: Shop) -> None:
    limits = replace(QUICK, unwatched_seconds=1, touch_seconds=0.2, flush_seconds=0.1)
    async with start_node(limits, telling("word " * 1000)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            turn = await client.ask("Does it fit?")
            while len(client.seen.texts.get(turn, "")) < 500:
                await client.receive()
            assert (await Turn.get(client_id=turn)).status == "running"
        for _ in range(40):
            row = await Turn.get(client_id=turn)
            if row.status == "done":
                break
            await asyncio.sleep(0.1)
    assert row.finish == "cut"


async def test_an_orphan_nobody_waits_for_is_not_answered(shop: Shop, runtime: Runtime) -> None:
    _, turn, begun = await orphan(shop, runtime, "")
    assert begun.claim is not None
    await recovery_db.client().execute_query("UPDATE conversation SET last_socket_at = now() - interval '2 minutes'")
    await asyncio.sleep(SHORT.turn_lease_seconds)
    await turns.take_over(begun.claim.id, begun.conversation, "another", QUICK, runtime.now())
    assert (await Turn.get(client_id=turn)).finish == "error"


async def test_a_failing_source_ends_in_words_the_page_can_show(start_node: StartNode, shop: Shop) -> None:
    async def fail(_: Claim) -> AsyncGenerator[Piece, None]:
        raise ZeroDivisionError
        yield ""

    async def fail_late(_: Claim) -> AsyncGenerator[Piece, None]:
        yield "Some words"
        raise ZeroDivisionError

    for answer, finish, text in ((fail, "error", ""), (fail_late, "cut", "Some words")):
        async with start_node(source=Source("failing", answer)) as node:
            opened = await node.open(shop.token)
            async with node.client() as client:
                await client.hello(opened)
                turn = await client.ask("Does it fit?")
                assert await client.until_done(turn) == text
                assert client.seen.finished[turn]["finish"] == finish


async def test_an_endless_source_is_cut_at_the_deadline(start_node: StartNode, shop: Shop) -> None:
    limits = replace(BRISK, turn_seconds=0.5, flush_seconds=0.1)
    async with start_node(limits, telling("word " * 1000)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            turn = await client.ask("Does it fit?")
            assert (await client.until_done(turn, 4)).startswith("word word")
    assert client.seen.finished[turn]["finish"] == "cut"


@pytest.mark.faults
async def test_a_producer_killed_in_the_middle(start_node: StartNode, runtime: Runtime, empty: None) -> None:
    """Three talks, one told nothing of its answer yet, one its first words, one more."""
    async with node_process(runtime, "slow_node") as (process, base), start_node(QUICK) as survivor:
        talks = []
        for name, frames in (("one", 2), ("two", 3), ("three", 6)):
            opened = await survivor.open((await make_shop(runtime, name=name)).token)
            client = await Client(base, Transcript(), survivor.chat.origin).__aenter__()
            await client.hello(opened)
            talks.append((opened, client, await client.ask("Does it fit?"), frames))
        await asyncio.gather(*(receive(client, frames) for _, client, _, frames in talks))
        process.kill()
        await process.wait()
        for opened, lost, turn, _ in talks:
            async with survivor.client(lost.seen) as client:
                await client.hello(opened)
                text = await client.until_done(turn)
            # What the dead one showed is kept and marked as cut; if it showed nothing the survivor's own is whole.
            assert lost.seen.finished[turn]["finish"] == ("cut" if text.startswith("slow") else "stop")
            assert list(lost.seen.questions) == [turn]


async def receive(client: Client, frames: int) -> None:
    """Take so many frames."""
    for _ in range(frames):
        await client.receive()


@pytest.mark.faults
async def test_a_producer_asleep_past_its_lease_changes_nothing_when_it_wakes(
    start_node: StartNode, shop: Shop, runtime: Runtime
) -> None:
    async with node_process(runtime, "slow_node") as (process, base), start_node(QUICK) as survivor:
        opened = await survivor.open(shop.token)
        async with survivor.client() as client, Client(base, origin=survivor.chat.origin) as sleepy:
            await client.hello(opened)
            await sleepy.hello(opened)
            turn = await sleepy.ask("Does it fit?")
            await client.until("d")
            os.kill(process.pid, signal.SIGSTOP)
            text = await client.until_done(turn)
            os.kill(process.pid, signal.SIGCONT)
            assert await sleepy.until_done(turn) == text
            await asyncio.sleep(0.5)
    assert client.seen.finished[turn]["finish"] == "cut"
    assert (await Turn.get(client_id=turn)).answer == text


async def test_a_client_that_reads_nothing_is_dropped_and_others_are_served(start_node: StartNode, shop: Shop) -> None:
    source, listener = telling("x" * 400_000, pause=0.01, size=20_000), listen("127.0.0.1", 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    async with start_node(replace(BRISK, send_seconds=0.5), source, listener=listener) as node:
        opened = await node.open(shop.token)
        async with Client(node.base, origin=node.chat.origin, receive_buffer=4096) as silent, node.client() as good:
            await silent.hello(opened)
            await good.hello(opened)
            silent.socket.transport.pause_reading()
            turn = await good.ask("Does it fit?")
            await good.until_done(turn, 20)
            room = node.chat.rooms.get(opened["conv"])
            assert room is not None
            async with asyncio.timeout(5):
                await wait_until(lambda: len(room.listeners) == 1)
            silent.socket.transport.abort()


@pytest.mark.skipif(not KERNEL_SOCKETS.exists(), reason="this system is not Linux")
async def test_the_socket_of_a_client_that_reads_nothing_is_freed(start_node: StartNode, shop: Shop) -> None:
    source, listener = telling("x" * 400_000, size=20_000), listen("127.0.0.1", 0, silent_client_ms=500)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    port = listener.getsockname()[1]
    async with start_node(replace(BRISK, send_seconds=0.3), source, listener=listener) as node:
        opened = await node.open(shop.token)
        async with Client(node.base, origin=node.chat.origin, receive_buffer=4096) as silent, node.client() as good:
            await silent.hello(opened)
            await good.hello(opened)
            mine = silent.socket.transport.get_extra_info("sockname")[1]
            assert held(port, mine)
            silent.socket.transport.pause_reading()
            await good.ask("Does it fit?")
            async with asyncio.timeout(6):
                await wait_until(lambda: not held(port, mine))
            silent.socket.transport.abort()


def held(near: int, far: int) -> bool:
    """Whether this machine still has the end at port ``near`` of a connection from port ``far``."""
    for line in KERNEL_SOCKETS.read_text().splitlines()[1:]:
        ends = [int(address.rpartition(":")[2], 16) for address in line.split()[1:3]]
        if ends == [near, far]:
            return True
    return False
