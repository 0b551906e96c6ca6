"""Limits across nodes: counted in Redis, never leaked by a node that died, kept per node while Redis is away."""

import asyncio
from dataclasses import replace

import pytest
from starlette.requests import Request

from chatbot.counters import Counters, client_address
from recovery.settings import Settings
from tests.chatbot.conftest import BRISK, Node, StartNode
from tests.chatbot.rows import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")
AWAY = "redis://127.0.0.1:1/0"
PATIENT = replace(BRISK, counter_seconds=2.0)


async def test_sockets_of_a_conversation_are_counted_across_nodes(
    node: Node, start_node: StartNode, shop: Shop
) -> None:
    opened = await node.open(shop.token)
    async with start_node() as other:
        async with node.client() as one, other.client() as two, other.client() as three, node.client() as four:
            for client in (one, two, three):
                await client.hello(opened)
            await four.send(t="hello", session=opened["session"], conv=opened["conv"], last_seq=0)
            assert await four.closed() == 4409
        async with other.client() as again:
            await again.hello(opened)


async def test_sockets_of_an_address_are_counted_across_nodes(start_node: StartNode) -> None:
    few = replace(BRISK, sockets_per_address=2)
    async with (
        start_node(few) as one,
        start_node(few) as other,
        one.client(),
        other.client(),
        other.client() as third,
    ):
        assert await third.closed() == 4409


async def test_new_sockets_of_an_address_are_counted(redis_url: str) -> None:
    one, other = (Counters(redis_url, PATIENT) for _ in range(2))
    tried = [await counters.attempt("a", 3, 60) for counters in (one, other, one, other)]
    assert tried == [True, True, True, False]
    await one.close()
    await other.close()


async def test_a_node_that_died_leaks_nothing(redis_url: str) -> None:
    brief = replace(PATIENT, unwatched_seconds=0.5)
    dead, living = Counters(redis_url, brief), Counters(redis_url, brief)
    assert await dead.hold("c", 1) is not None
    assert await living.hold("c", 1) is None
    await dead.close()
    await asyncio.sleep(0.6)
    mine = await living.hold("c", 1)
    assert mine is not None
    for _ in range(3):
        await asyncio.sleep(0.3)
        await living.renew()
    late = Counters(redis_url, brief)
    assert await late.hold("c", 1) is None
    await living.release("c", mine)
    assert await late.hold("c", 1) is not None
    await living.close()
    await late.close()


async def test_two_at_once_do_not_both_get_the_last_place(redis_url: str) -> None:
    counters = Counters(redis_url, PATIENT)
    places = await asyncio.gather(*(counters.hold("c", 3) for _ in range(10)))
    assert sum(place is not None for place in places) == 3
    await counters.close()


async def test_while_redis_is_away_the_limits_hold_per_node() -> None:
    one, other = Counters(AWAY, BRISK), Counters(AWAY, BRISK)
    places = [await counters.hold("c", 1) for counters in (one, one, other)]
    assert [place is not None for place in places] == [True, False, True]
    assert [await one.attempt("a", 1, 60) for _ in range(2)] == [True, False]
    await one.close()
    await other.close()


@pytest.mark.parametrize(
    ("trusted", "peer", "told", "address"),
    [
        ([], "10.0.0.1", ["198.51.100.7"], "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        (["10.0.0.0/8"], "10.0.0.1", ["6.6.6.6, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
        (["10.0.0.0/8"], "10.0.0.1", ["6.6.6.6", "198.51.100.7"], "198.51.100.7"),
        (["10.0.0.0/8"], "192.0.2.1", ["198.51.100.7"], "192.0.2.1"),
        (["10.0.0.0/8"], "10.0.0.1", [], "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", ["nonsense"], "nonsense"),
        (["::1"], "::1", ["2001:db8::7"], "2001:db8::7"),
    ],
)
async def test_only_a_trusted_proxy_names_the_address(
    trusted: list[str], peer: str, told: list[str], address: str
) -> None:
    settings = Settings(_env_file=None, trusted_proxies=trusted)
    headers = [(b"x-forwarded-for", value.encode()) for value in told]
    request = Request({"type": "http", "client": (peer, 1), "headers": headers})
    assert client_address(request, settings) == address
