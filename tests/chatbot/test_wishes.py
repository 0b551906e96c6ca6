"""What a customer can do beside asking: another variant, a person. Each is done once and seen by every socket."""

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import orjson
import pytest

from chatbot import privacy
from chatbot.models import Conversation
from recovery import db, webhooks_endpoints
from recovery.models import Cart, CartItem, CartSwap, Connection, LinkToken, Notice, Product, WebhookMessage
from recovery.runtime import Runtime
from recovery.stores.registry import change_settings
from recovery.tokens import CartClaims, new_jti, sign_cart_link
from tests.chatbot.client import Client
from tests.chatbot.conftest import Node, StartNode
from tests.chatbot.rows import EMAIL, Shop, make_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def take(client: Client, product: str, line: str = "hala-moss-m") -> str:
    wish = str(uuid.uuid4())
    await client.send(t="take", id=wish, line=line, product=product)
    return wish


async def refusal(client: Client) -> tuple[str, str]:
    frame = await client.until("err")
    return frame["ref"], frame["code"]


async def supported(shop: Shop, **more: Any) -> None:
    await change_settings(shop.store, {"sender_address": "shop@shop.example"} | more)


async def test_a_variant_taken_is_seen_by_every_socket_on_every_node(
    node: Node, start_node: StartNode, shop: Shop
) -> None:
    opened = await node.open(shop.token)
    async with start_node() as other, node.client() as one, node.client() as two, other.client() as three:
        for client in (one, two, three):
            await client.hello(opened)
        wish = await take(one, "hala-moss-s")
        frames = [await client.until("cart") for client in (one, two, three)]
    assert frames[0] == frames[1] == frames[2]
    assert (frames[0]["id"], frames[0]["total"]) == (wish, "€239.00")
    (line,) = frames[0]["lines"]
    assert line == {
        "product_id": "hala-moss-s", "was": "hala-moss-m", "name": "Hala rain jacket, Moss green, S", "options": "",
        "quantity": "1", "total": "€239.00", "image": "https://shop.example/hala.svg",
        "url": "https://shop.example/product/hala", "in_stock": True,
    }  # fmt: skip
    assert (await CartItem.get()).product_id == "hala-moss-m"


async def test_the_assistant_speaks_of_the_variant_taken(node: Node, shop: Shop) -> None:
    await Product.filter(product_id="hala-moss-s").update(price=24900)
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await take(client, "hala-moss-s")
        await client.until("cart")
        answer = await client.until_done(await client.ask("What does my cart cost?"))
    assert answer == "1 × Hala rain jacket, Moss green, S: €249.00\nYour cart comes to €249.00 in all."


async def test_what_only_the_shop_can_tell_is_left_to_it(node: Node, shop: Shop) -> None:
    await Product.filter(product_id="hala-moss-s").update(currency="USD")
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await take(client, "hala-moss-s")
        await client.until("cart")
        answer = await client.until_done(await client.ask("What does my cart cost?"))
    assert answer == "1 × Hala rain jacket, Moss green, S: the shop shows the price"


async def test_a_wish_sent_three_times_is_done_once(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    wish = str(uuid.uuid4())
    async with node.client() as client:
        await client.hello(opened)
        for _ in range(3):
            await client.send(t="take", id=wish, line="hala-moss-m", product="hala-moss-s")
        await client.until("cart")
        await client.send(t="ping", n=1)
        await client.until("pong")
    assert [frame["t"] for frame in client.frames] == ["welcome", "cart", "pong"]
    assert await CartSwap.all().count() == 1
    async with node.client() as again:
        await again.hello(opened)
        assert [item["id"] for item in (await again.until("log"))["items"]] == [wish]


async def test_taking_the_original_back_undoes_it(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await take(client, "hala-moss-s")
        await client.until("cart")
        await take(client, "hala-moss-m", line="hala-moss-s")
        (line,) = (await client.until("cart"))["lines"]
    assert (line["product_id"], "was" in line) == ("hala-moss-m", False)


async def test_only_a_variant_of_the_line_that_can_be_bought_is_taken(node: Node, runtime: Runtime, shop: Shop) -> None:
    other = await make_shop(runtime, name="other")
    await Product.create(
        store=other.store, product_id="hala-moss-xl", parent_id="hala", name="XL", price=1, currency="EUR",
        currency_digits=2, in_stock=True, occurred_at=runtime.now(),
    )  # fmt: skip
    wrong = [
        ("hala-moss-m", "fleece"),  # another product
        ("hala-moss-m", "hala"),  # the product itself is no variant
        ("hala-moss-m", "hala-moss-l"),  # sold out
        ("hala-moss-m", "hala-moss-xl"),  # another store's
        ("hala-moss-m", "nonsense"),
        ("fleece", "wind"),  # no line of this cart
    ]
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        for line, product in wrong:
            wish = await take(client, product, line)
            assert await refusal(client) == (wish, "not_taken"), product
        await Product.filter(store=shop.store, product_id="hala-moss-s").update(active=False)
        wish = await take(client, "hala-moss-s")
        assert await refusal(client) == (wish, "not_taken")
        await Product.filter(store=shop.store, product_id="hala-moss-s").update(active=True)
        await Cart.filter(id=shop.cart.id).update(status="ordered")
        wish = await take(client, "hala-moss-s")
        assert await refusal(client) == (wish, "not_taken")
    assert await CartSwap.all().count() == 0


async def test_two_talks_about_one_cart_both_learn_of_it(node: Node, runtime: Runtime, shop: Shop) -> None:
    link = await LinkToken.create(
        jti=new_jti(), kind="assistant", cart=shop.cart, store=shop.store, email_hash=shop.link.email_hash,
        created_at=runtime.now(), expires_at=shop.link.expires_at,
    )  # fmt: skip
    claims = CartClaims("4711", shop.store.id, link.email_hash, int(link.expires_at.timestamp()), link.jti)
    second = await node.open(sign_cart_link(runtime.keys, "assistant", claims, runtime.now()))
    first = await node.open(shop.token)
    assert first["conv"] != second["conv"]
    async with node.client() as one, node.client() as two:
        await one.hello(first)
        await two.hello(second)
        await asyncio.gather(take(one, "hala-moss-s"), take(two, "hala-moss-s"))
        for client in (one, two):
            for _ in range(2):
                assert (await client.until("cart"))["lines"][0]["product_id"] == "hala-moss-s"
    assert len({swap.client_id for swap in await CartSwap.all()}) == 2


async def test_a_person_is_asked_for_once_and_the_shop_can_answer(node: Node, shop: Shop) -> None:
    await supported(shop, support_address="help@shop.example")
    opened = await node.open(shop.token)
    ask = str(uuid.uuid4())
    async with node.client() as client, node.client() as other:
        await client.hello(opened)
        await other.hello(opened)
        await client.until_done(await client.ask("Does it <b>fit</b>?"))
        await take(client, "hala-moss-s")
        for _ in range(3):
            await client.send(t="person", id=ask)
        told = await client.until("person")
        assert await other.until("person") == told
    assert (told["id"], told["address"]) == (ask, "j***@example.com")
    notice = await Notice.get()
    assert (notice.kind, notice.to_address, notice.reply_to) == ("person", "help@shop.example", EMAIL)
    assert notice.words is not None
    assert notice.words["lines"] == ["1 × Hala rain jacket, Moss green, S: €239.00"]
    assert notice.words["talk"][0] == {"who": "Customer", "text": "Does it <b>fit</b>?"}
    assert len(notice.words["talk"]) == 2
    row = await Conversation.get()
    assert (row.waiting_address, row.waiting_since is not None) == (EMAIL, True)
    events = await db.client().execute_query_dict("SELECT payload::text AS p FROM conversation_event")
    assert all(EMAIL not in event["p"] for event in events)


async def test_whoever_wants_to_know_is_told_that_somebody_waits(node: Node, runtime: Runtime, shop: Shop) -> None:
    await supported(shop)
    connection = await Connection.get()
    for with_email in (False, True):
        url = "https://127.0.0.1/webhooks"
        await webhooks_endpoints.add(runtime, connection.key, url, ("conversation.waiting",), with_email=with_email)
    opened = await node.open(shop.token)
    ask = str(uuid.uuid4())
    async with node.client() as client:
        await client.hello(opened)
        for _ in range(2):
            await client.send(t="person", id=ask)
        await client.until("person")
    plain, with_address = await WebhookMessage.all().order_by("endpoint_id")
    told = orjson.loads(plain.body)
    conversation = await Conversation.get().prefetch_related("cart", "store")
    assert told["type"] == "conversation.waiting"
    assert told["data"] == {
        "conversation": str(conversation.id),
        "store": conversation.store.code,
        "quote_id": conversation.cart.quote_id,
        "person": conversation.cart.email_hash,
        "url": f"{runtime.settings.public_url}/admin/conversations",
    }
    assert EMAIL not in plain.body
    assert orjson.loads(with_address.body)["data"]["email"] == EMAIL


async def test_the_address_for_the_answer_is_forgotten_after_30_days(node: Node, runtime: Runtime, shop: Shop) -> None:
    await supported(shop)
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await client.send(t="person", id=str(uuid.uuid4()))
        await client.until("person")
    assert (await privacy.retain(runtime.now() + timedelta(days=29)))["answer addresses"] == 0
    assert (await privacy.retain(runtime.now() + timedelta(days=31)))["answer addresses"] == 1
    row = await Conversation.get()
    assert (row.waiting_address, row.waiting_since is not None) == (None, True)


async def test_the_answer_may_go_to_another_address(node: Node, shop: Shop) -> None:
    await supported(shop, reply_to="answers@shop.example")
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        for wrong in ("", "nobody", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"):
            await client.send(t="person", id=str(uuid.uuid4()), address=wrong)
            assert (await client.until("err"))["code"] == "bad_address", wrong
        await client.send(t="person", id=str(uuid.uuid4()), address="ann@work.example")
        assert (await client.until("person"))["address"] == "a***@work.example"
    notice = await Notice.get()
    assert (notice.to_address, notice.reply_to) == ("answers@shop.example", "ann@work.example")


async def test_a_person_is_asked_for_three_times_a_day_at_most(node: Node, shop: Shop) -> None:
    await supported(shop)
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        for _ in range(3):
            await client.send(t="person", id=str(uuid.uuid4()))
            await client.until("person")
        await client.send(t="person", id=str(uuid.uuid4()))
        assert (await client.until("err"))["code"] == "day_limit"
    assert await Notice.all().count() == 3


async def test_without_an_address_of_the_shop_or_the_customer_there_is_no_person(node: Node, shop: Shop) -> None:
    opened = await node.open(shop.token)
    async with node.client() as client:
        await client.hello(opened)
        await client.send(t="person", id=str(uuid.uuid4()))
        assert (await client.until("err"))["code"] == "no_support"
        await supported(shop)
        await Cart.filter(id=shop.cart.id).update(email=None)
        await client.send(t="person", id=str(uuid.uuid4()))
        assert (await client.until("err"))["code"] == "bad_address"
    assert await Notice.all().count() == 0
