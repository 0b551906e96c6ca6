"""PostgreSQL or Redis breaking away in the middle of an answer: slower, or cut and marked so, never wrong."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio

from chatbot.models import ConversationEvent, Turn
from recovery.embedded import Endpoints
from tests.chatbot.conftest import BRISK, StartNode
from tests.chatbot.rows import Shop
from tests.chatbot.sources import EMOJI, telling
from tests.reliability.web import Proxy
from tests.servers import database_copy

pytestmark = [pytest.mark.faults, pytest.mark.asyncio(loop_scope="module")]

QUICK = replace(BRISK, watch_seconds=0.1, poll_seconds=0.1, flush_seconds=0.2)


class Way:
    """The way to a server, which can be cut."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._parts = parts
        self.proxy = Proxy(parts.hostname or "", parts.port or 0)

    @property
    def url(self) -> str:
        """The server's address by this way."""
        return urlunsplit(self._parts._replace(netloc=f"{self._parts.netloc.rpartition(':')[0]}:{self.proxy.port}"))

    async def break_for(self, seconds: float) -> None:
        """What a restart looks like from here: connections break, new ones are refused for a while."""
        await self.proxy.cut()
        await asyncio.sleep(seconds)
        await self.proxy.open()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def to_postgres(servers: Endpoints, template_database: str) -> AsyncIterator[Way]:
    """The way of the whole process to its database."""
    with database_copy(servers.database_url, template_database) as url:
        way = Way(url)
        await way.proxy.open()
        yield way
        await way.proxy.cut()


@pytest.fixture(scope="module")
def database_url(to_postgres: Way) -> str:
    """The module's database, by that way."""
    return to_postgres.url


@pytest_asyncio.fixture(loop_scope="module")
async def to_redis(servers: Endpoints) -> AsyncIterator[Way]:
    """The way of a node to Redis."""
    way = Way(servers.redis_url)
    await way.proxy.open()
    yield way
    await way.proxy.cut()


async def test_redis_going_and_coming_back_in_the_middle_of_an_answer(
    start_node: StartNode, shop: Shop, to_redis: Way
) -> None:
    text = EMOJI * 8
    async with (
        start_node(QUICK, telling(text, pause=0.02), redis=to_redis.url) as here,
        start_node(QUICK, redis=to_redis.url) as there,
    ):
        opened = await here.open(shop.token)
        async with here.client() as one, there.client() as other:
            await one.hello(opened)
            await other.hello(opened)
            turn = await one.ask("Does it fit?")
            await other.until("d")
            await to_redis.break_for(0.5)
            assert set(await asyncio.gather(one.until_done(turn), other.until_done(turn))) == {text}
            again = await other.ask("And this?")
            assert await one.until_done(again)
            assert await other.until_done(again)


async def test_postgresql_restarting_in_the_middle_of_an_answer(
    start_node: StartNode, shop: Shop, to_postgres: Way
) -> None:
    text = EMOJI * 8
    async with start_node(QUICK, telling(text, pause=0.02)) as node:
        opened = await node.open(shop.token)
        async with node.client() as one, node.client() as other:
            await one.hello(opened)
            await other.hello(opened)
            turn = await one.ask("Does it fit?")
            await other.until("d")
            await to_postgres.break_for(0.7)
            assert set(await asyncio.gather(one.until_done(turn), other.until_done(turn))) == {text}
    assert (await Turn.get(client_id=turn)).answer == text
    assert [event.seq for event in await ConversationEvent.filter(seq__gt=0).order_by("seq")] == [1, 2, 3]


async def test_what_is_asked_while_postgresql_is_away_is_asked_again(
    start_node: StartNode, shop: Shop, to_postgres: Way
) -> None:
    async with start_node(QUICK) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            await to_postgres.proxy.cut()
            turn = str(uuid.uuid4())
            await client.ask("Does it fit?", turn)
            refused = await client.until("err")
            assert (refused["code"], refused["ref"], refused["retry"]) == ("unavailable", turn, True)
            await to_postgres.proxy.open()
            async with asyncio.timeout(5):
                while turn not in client.seen.questions:
                    await client.ask("Does it fit?", turn)
                    await client.receive()
            assert await client.until_done(turn)
    assert await Turn.all().count() == 1
