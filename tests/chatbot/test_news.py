"""What becomes of a cart in the middle of a talk reaches every tab once, whichever node sees it, whatever is away."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from chatbot.models import ConversationEvent
from recovery import carts, db
from recovery.models import Cart, CartItem, Coupon, LinkToken, Product
from recovery.runtime import Runtime
from recovery.stores.snapshots import CartSnapshot, Customer, Item
from tests.chatbot.client import Client, Frame
from tests.chatbot.conftest import BRISK, Node, StartNode
from tests.chatbot.coupon_rows import CODE, give_coupon
from tests.chatbot.rows import EMAIL, Shop, make_link

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: The news are looked for often.
OFTEN = replace(BRISK, watch_seconds=0.1, poll_seconds=0.1)
FLEECE = Item("fleece", "Borowik fleece", 20_000, 17800, url="https://shop.example/fleece")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def often(start_node: StartNode) -> AsyncIterator[Node]:
    """A node of this module that looks for news often."""
    async with start_node(OFTEN) as started:
        yield started


@pytest.fixture
def here(often: Node, empty: None) -> Node:
    """That node, with no rows but those the test makes."""
    return often


async def shop_sends(runtime: Runtime, shop: Shop, *items: Item, **more: Any) -> None:
    """A snapshot of the cart comes, as a hook brings it."""
    now = runtime.now()
    cart = CartSnapshot(
        quote_id="4711", occurred_at=now, currency="EUR", currency_digits=2, items=items,
        total=sum(item.row_total for item in items), customer=Customer(email=EMAIL), **more,
    )  # fmt: skip
    async with db.in_transaction():
        await carts.take(shop.store, cart, runtime.keys, now)


async def as_it_was() -> list[Item]:
    """The lines of the cart as the shop told them last."""
    rows = await CartItem.all().order_by("position")
    return [
        Item(r.product_id, r.name, r.quantity, r.row_total, parent_id=r.parent_id, url=r.url, image_url=r.image_url,
             options=tuple((o["name"], o["value"]) for o in r.options))
        for r in rows
    ]  # fmt: skip


async def told(kind: str) -> list[dict[str, Any]]:
    """Every event of a kind that any client may get, oldest first."""
    rows = await ConversationEvent.filter(payload__contains={"t": kind}, seq__gt=0).order_by("seq")
    return [row.payload for row in rows]


async def rounds() -> None:
    """So long that every node has looked several times."""
    await asyncio.sleep(5 * OFTEN.watch_seconds)


async def boot(node: Node, shop: Shop) -> Frame:
    """What the page's script starts from."""
    async with httpx2.AsyncClient(base_url=node.base) as http:
        page = await http.get(f"/a/{shop.token}")
    found = re.search(r'<script[^>]*id="boot"[^>]*>(.*?)</script>', page.text, re.S)
    assert found is not None
    data: Frame = json.loads(found[1])
    return data


async def replayed(node: Node, opened: Frame) -> list[Frame]:
    """Every durable event that a new page gets."""
    async with node.client() as client:
        welcome = await client.hello(opened)
        while client.seen.seq < welcome["seq"]:
            await client.receive()
    return [item for frame in client.frames if frame["t"] == "log" for item in frame["items"]]


async def test_a_cart_that_the_shop_changes_is_told_to_every_tab_once(
    here: Node, start_node: StartNode, runtime: Runtime, shop: Shop
) -> None:
    async with start_node(OFTEN) as there, here.client() as one, here.client() as two, there.client() as three:
        opened = await here.open(shop.token)
        for client in (one, two, three):
            await client.hello(opened)
        await rounds()
        for items in (await as_it_was(), [FLEECE]):  # first the same again, as a shop may send it
            await shop_sends(runtime, shop, *items)
            await rounds()
        frames = [await client.until("cart") for client in (one, two, three)]
        answer = await one.until_done(await one.ask("What does my cart cost?"))
        await rounds()
    assert frames[0] == frames[1] == frames[2]
    assert (frames[0]["total"], "id" in frames[0]) == ("€178.00", False)
    assert frames[0]["lines"] == [
        {"product_id": "fleece", "name": "Borowik fleece", "options": "", "quantity": "2", "total": "€178.00",
         "image": None, "url": "https://shop.example/fleece", "in_stock": True}
    ]  # fmt: skip
    assert len(await told("cart")) == 1
    assert "2 × Borowik fleece: €178.00" in answer
    assert "Hala" not in answer


async def test_redis_away_changes_nothing_of_that(start_node: StartNode, runtime: Runtime, shop: Shop) -> None:
    nowhere = "redis://127.0.0.1:1/0"
    async with start_node(OFTEN, redis=nowhere) as here, start_node(OFTEN, redis=nowhere) as there:
        opened = await here.open(shop.token)
        async with here.client() as one, there.client() as other:
            await one.hello(opened)
            await other.hello(opened)
            await shop_sends(runtime, shop, FLEECE)
            assert await one.until("cart") == await other.until("cart")
            await give_coupon(runtime, shop)
            assert await one.until("state") == await other.until("state")
            await rounds()
    assert (len(await told("cart")), len(await told("state"))) == (1, 1)


async def test_what_changes_while_nobody_is_there_is_known_to_the_next_page(
    here: Node, runtime: Runtime, shop: Shop
) -> None:
    opened = await here.open(shop.token)
    assert await replayed(here, opened) == []
    for total in (17800, 8900):
        await shop_sends(runtime, shop, replace(FLEECE, row_total=total))
    opened = await here.open(shop.token)
    (event,) = await replayed(here, opened)
    assert (event["t"], event["total"], opened["seq"]) == ("cart", "€89.00", 1)


async def test_what_changes_between_the_page_and_its_first_session_is_told(
    here: Node, runtime: Runtime, shop: Shop
) -> None:
    await boot(here, shop)
    await shop_sends(runtime, shop, FLEECE)
    (event,) = await replayed(here, await here.open(shop.token))
    assert event["lines"][0]["product_id"] == "fleece"


async def test_a_page_that_comes_back_by_its_socket_alone_is_told_too(here: Node, runtime: Runtime, shop: Shop) -> None:
    opened = await here.open(shop.token)
    async with here.client() as before:
        await before.hello(opened)
    await shop_sends(runtime, shop, FLEECE)
    async with here.client() as client:
        await client.hello(opened)
        # Alone where the news came after the hello, in the log where the watch was quicker.
        while (frame := await client.receive())["t"] not in {"cart", "log"}:
            pass
        told_of = frame["items"][0] if frame["t"] == "log" else frame
        assert (told_of["t"], told_of["total"]) == ("cart", "€178.00")


async def test_stock_that_runs_out_and_a_variant_taken_are_told_once_each(
    here: Node, runtime: Runtime, shop: Shop
) -> None:
    opened = await here.open(shop.token)
    async with here.client() as client:
        await client.hello(opened)
        await client.send(
            t="take", id="6b0f9f2e-96b8-4f3c-8d43-6a7b1d0c9a11", line="hala-moss-m", product="hala-moss-s"
        )
        assert (await client.until("cart"))["lines"][0]["product_id"] == "hala-moss-s"
        await rounds()
        await Product.filter(product_id="hala-moss-s").update(in_stock=False, occurred_at=runtime.now())
        last = await client.until("cart")
        await rounds()
    assert ("id" in last, last["lines"][0]["in_stock"]) == (False, False)
    assert len(await told("cart")) == 2


async def test_an_order_is_no_change_of_the_cart(here: Node, runtime: Runtime, shop: Shop) -> None:
    opened = await here.open(shop.token)
    async with here.client() as client:
        await client.hello(opened)
        await shop_sends(runtime, shop)  # many shops empty the cart as they take the order
        await Cart.filter(id=shop.cart.id).update(status="ordered")
        assert (await client.until("state"))["ordered"] is True
        await rounds()
    assert len(await told("state")) == 1


async def test_what_the_shop_changes_takes_nothing_from_what_a_customer_may_take(
    start_node: StartNode, runtime: Runtime, shop: Shop
) -> None:
    async with start_node(replace(OFTEN, takes_per_day=1)) as node:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            mine = await as_it_was()
            await shop_sends(runtime, shop, FLEECE)
            await client.until("cart")
            await shop_sends(runtime, shop, *mine)
            await client.until("cart")
            wish = "0d3d1a52-5d0a-4cc6-9b71-2c9a1e0f7a10"
            await client.send(t="take", id=wish, line="hala-moss-m", product="hala-moss-s")
            assert (await client.until("cart"))["id"] == wish


def coupon_of(coupon: Coupon) -> dict[str, Any]:
    return {"code": CODE, "percent": 5, "expires_at": coupon.expires_at.isoformat()}


async def test_a_coupon_that_comes_is_used_and_given_back_is_told_to_every_tab_once(
    here: Node, start_node: StartNode, runtime: Runtime, shop: Shop
) -> None:
    async with start_node(OFTEN) as there, here.client() as one, there.client() as other:
        opened = await here.open(shop.token)
        clients: tuple[Client, ...] = (one, other)
        for client in clients:
            await client.hello(opened)
        coupon = await give_coupon(runtime, shop)
        for status, expected in (("issued", coupon_of(coupon)), ("redeemed", None), ("issued", coupon_of(coupon))):
            await Coupon.filter(id=coupon.id).update(status=status)
            for client in clients:
                frame = await client.until("state")
                assert (frame["ordered"], frame["coupon"]) == (False, expected)
        await rounds()
    assert len(await told("state")) == 3


async def test_a_coupon_that_ends_in_the_middle_of_a_talk_is_taken_away(
    here: Node, runtime: Runtime, shop: Shop
) -> None:
    coupon = await give_coupon(runtime, shop)
    async with here.client() as client:
        await client.hello(await here.open(shop.token))
        assert (await client.until("log"))["items"][0]["coupon"] == coupon_of(coupon)
        end = runtime.now() + timedelta(seconds=0.7)
        await Coupon.filter(id=coupon.id).update(expires_at=end)
        while (await client.until("state"))["coupon"] is not None:
            assert runtime.now() < end + timedelta(seconds=4)
        assert runtime.now() >= end


async def test_the_page_has_the_coupon_at_once_and_nobody_else_has(here: Node, runtime: Runtime, shop: Shop) -> None:
    assert (await boot(here, shop))["coupon"] is None
    coupon = await give_coupon(runtime, shop)
    page = await boot(here, shop)
    assert page["coupon"] == coupon_of(coupon)
    async with httpx2.AsyncClient() as http:
        shared = await http.get(page["share"].replace(here.chat.origin, here.base))
    assert shared.status_code == 200
    assert CODE not in shared.text
    cart = shop.cart
    cart.email, cart.email_hash = "ewa@example.com", runtime.keys.email_hash("ewa@example.com")
    await cart.save()
    other = await make_link(runtime, shop.store, cart, runtime.now())
    assert (await boot(here, other))["coupon"] is None
    assert await replayed(here, await here.open(other.token)) == []
    await Cart.filter(id=cart.id).update(status="ordered", email_hash=shop.link.email_hash)
    assert (await boot(here, shop))["coupon"] is None
    assert await LinkToken.all().count() == 2
