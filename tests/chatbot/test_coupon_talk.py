"""The cart's own coupon over the socket: told to the one it was made for, by both assistants, and to nobody else."""

import json
from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from recovery.models import Cart, Coupon
from recovery.runtime import Runtime
from tests.chatbot.client import Client
from tests.chatbot.conftest import Node
from tests.chatbot.coupon_rows import CODE, give_coupon
from tests.chatbot.model_shop import answered, choose, talk
from tests.chatbot.rows import Shop, make_link
from tests.llm_server import LlmServer, LlmThread, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

NONE = "I can't give discounts, and I know of no coupon in this cart."


@pytest.fixture
def model() -> Iterator[LlmServer]:
    """This test's model server."""
    with LlmThread() as server:
        yield server


async def asked(client: Client) -> str:
    return await client.until_done(await client.ask("Do you have a discount?"))


async def stranger(runtime: Runtime, shop: Shop) -> Shop:
    """The same cart after its address has changed, and the link sent to the new one."""
    cart = shop.cart
    cart.email, cart.email_hash = "ewa@example.com", runtime.keys.email_hash("ewa@example.com")
    await cart.save()
    return await make_link(runtime, shop.store, cart, runtime.now())


async def test_the_built_in_assistant_tells_of_the_coupon_and_of_its_end(
    node: Node, runtime: Runtime, shop: Shop
) -> None:
    async with talk(node, shop) as client:
        assert await asked(client) == NONE
        coupon = await give_coupon(runtime, shop)
        text = await asked(client)
        until = coupon.expires_at.astimezone(ZoneInfo(shop.store.timezone)).strftime("%A, %-d %B %Y, %H:%M %Z")
        for part in (
            f"The code {CODE} takes 5% off your whole cart.",
            f"valid until {until}.",
            "prepared automatically",
        ):
            assert part in text
        await Coupon.filter(id=coupon.id).update(status="redeemed")
        assert "was used for an order" in await asked(client)
        await Coupon.filter(id=coupon.id).update(status="withdrawing", closed_reason="by_hand")
        assert "was taken back" in await asked(client)
        await Coupon.filter(id=coupon.id).update(status="issued", expires_at=runtime.now() - timedelta(seconds=1))
        assert "does not work any more" in await asked(client)


async def test_a_coupon_that_the_shop_does_not_know_yet_is_not_told(node: Node, runtime: Runtime, shop: Shop) -> None:
    await give_coupon(runtime, shop, status="reserved", issued_at=None)
    async with talk(node, shop) as client:
        assert await asked(client) == NONE


async def test_nobody_else_is_told(node: Node, runtime: Runtime, shop: Shop) -> None:
    await give_coupon(runtime, shop)
    other = await stranger(runtime, shop)
    async with talk(node, other) as client:
        assert await asked(client) == NONE
    assert CODE not in json.dumps(client.frames)


async def test_the_model_is_told_and_may_say_it_while_it_works(
    node: Node, runtime: Runtime, shop: Shop, model: LlmServer
) -> None:
    await choose(runtime, "demo-en/en", model)
    coupon = await give_coupon(runtime, shop)
    told = f"The code {CODE} gives you 5 % off your whole cart. The code SAVE50 gives you 50 % off."
    model.behaviour = lambda _: says(told)
    async with talk(node, shop) as client:
        got = await answered(client, "Do you have a discount?")
        assert CODE in json.dumps(model.asked[-1].body)
        assert got.text.startswith(f"The code {CODE} gives you 5 % off your whole cart.")
        assert "SAVE50" not in got.text
        await Coupon.filter(id=coupon.id).update(expires_at=runtime.now() - timedelta(seconds=1))
        got = await answered(client, "And now?")
    assert CODE not in got.text
    assert CODE not in json.dumps(model.asked[-1].body["messages"][1])


async def test_a_strangers_model_never_hears_of_it(node: Node, runtime: Runtime, shop: Shop, model: LlmServer) -> None:
    await choose(runtime, "demo-en/en", model)
    await give_coupon(runtime, shop)
    model.behaviour = lambda _: says(f"The code {CODE} gives you 5 % off your whole cart.")
    async with talk(node, await stranger(runtime, shop)) as client:
        got = await answered(client, "Do you have a discount?")
    assert CODE not in got.text
    assert CODE not in json.dumps([each.body for each in model.asked])
    assert await Cart.all().count() == 1
