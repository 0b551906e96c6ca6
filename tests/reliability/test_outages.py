"""PostgreSQL or Redis away: hooks are told to come again, or taken all the same."""

import asyncio
from urllib.parse import urlsplit, urlunsplit

import pytest

from recovery import db
from recovery.models import Cart
from tests.reliability.web import Proxy
from tests.shop import Shop, item, open_shop, settings_for

pytestmark = pytest.mark.faults
CART = {"quote_id": "1", "currency": "EUR", "total": 1, "items": [item()]}


def through(proxy: Proxy, url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{proxy.port}"))


async def proxy_to(url: str) -> Proxy:
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "", parts.port or 0)
    await proxy.open()
    return proxy


async def test_without_postgresql_a_hook_is_told_to_come_again(database_url: str, redis_url: str) -> None:
    proxy = await proxy_to(database_url)
    async with open_shop(settings_for(through(proxy, database_url), redis_url)) as shop:
        assert await shop.tell("cart.updated", CART) == "applied"
        await proxy.cut()
        for number in range(3):
            response = await shop.send("cart.updated", CART | {"total": 2}, webhook_id=f"msg_{number}")
            assert (response.status_code, response.headers["retry-after"]) == (503, "5"), response.text
            assert response.json()["errors"][0]["code"] == "unavailable"
        assert (await shop.client.get("/healthz")).status_code == 200
        assert (await shop.client.get("/readyz")).status_code == 503
        assert (await shop.client.get("/r/a.b.c")).status_code == 404
        await proxy.open()
        for number in range(3):
            assert await shop.tell("cart.updated", CART | {"total": 2}, webhook_id=f"msg_{number}") == "applied"
        assert (await shop.client.get("/readyz")).status_code == 200
        assert (await Cart.get()).total == 2
        await proxy.cut()
        await proxy.open()
    await proxy.cut()


async def test_a_connection_that_breaks_inside_the_transaction_is_503(shop: Shop) -> None:
    """The database ends every other session while hooks come in: each is taken or told to come again."""

    taken = set()

    async def sender(name: str) -> None:
        for number in range(25):
            webhook_id = f"{name}_{number}"
            data = CART | {"quote_id": webhook_id}
            response = await shop.send("cart.updated", data, webhook_id=webhook_id)
            assert response.status_code in {200, 503}, response.text
            if response.status_code == 200:
                taken.add(webhook_id)

    await asyncio.gather(end_all_sessions(10), *(sender(name) for name in "abcd"))
    stored = {cart.quote_id for cart in await Cart.all()}
    assert taken <= stored
    assert taken


async def test_a_task_whose_transaction_was_broken_goes_on(shop: Shop) -> None:
    """As a worker must that waits for the database to come back before it writes down what it has sent."""
    storm = asyncio.create_task(end_all_sessions(25))

    async def persistent() -> int:
        broken = 0
        while not storm.done():
            try:
                async with db.in_transaction():
                    for _ in range(4):
                        await db.client().execute_query("SELECT count(*) FROM generate_series(1, 2000)")
            except db.UNAVAILABLE:
                broken += 1
                await asyncio.sleep(0.01)
        async with asyncio.timeout(5), db.in_transaction():
            await db.client().execute_query("SELECT 1")
        return broken

    assert sum(await asyncio.gather(*(persistent() for _ in range(12)))) > 12


async def end_all_sessions(times: int) -> None:
    """PostgreSQL ends every session but the one that says so, as in a restart."""
    for _ in range(times):
        await asyncio.sleep(0.03)
        try:
            await db.client().execute_query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        except db.UNAVAILABLE:
            continue


async def test_without_redis_a_hook_is_taken(database_url: str, redis_url: str) -> None:
    proxy = await proxy_to(redis_url)
    async with open_shop(settings_for(database_url, through(proxy, redis_url))) as shop:
        await proxy.cut()
        assert await shop.tell("cart.updated", CART) == "applied"
        assert (await shop.client.get("/readyz")).json()["redis"] == "away"
