"""A customer with a mark in every field a shop may send, sent the whole way through the product, and the search for it.

The search knows no table by name: it reads whatever the database, Redis and the log hold.
"""

import uuid
from dataclasses import dataclass
from typing import Any

import redis

from chatbot.chat import open_chat
from chatbot.server import listen
from recovery import db, jobs, webhooks_endpoints
from recovery.emails import unsubscribe_link
from recovery.models import Cart, SyncCart
from recovery.stores.registry import find_store
from recovery.swaps import swap
from tests.chatbot.conftest import BRISK, Node, serving
from tests.chatbot.model_shop import choose
from tests.coupon_shop import CouponShop
from tests.llm_server import LlmServer, says
from tests.recovery.coupons import with_coupons
from tests.shop import HOST, Shop
from tests.smtp_sink import SmtpSink

MARK = "zq7canary"
ADDRESS = f"{MARK}.anna@{MARK}.example.com"
OTHER_MAILBOX = f"{MARK}.home@example.org"


def url(path: str) -> str:
    return f"https://{HOST}/{MARK}/{path}"


def line(product_id: str, **more: Any) -> dict[str, Any]:
    """A line of the cart; an engraving is as personal as a name."""
    return {
        "line_id": f"{MARK}-line", "product_id": product_id, "parent_id": "coat", "sku": f"{MARK}-sku",
        "name": f"Coat for {MARK}", "quantity": 1, "row_total": 45999, "unit_price": 45999,
        "options": [{"name": f"{MARK} engraving", "value": f"{MARK} forever"}],
        "url": url("coat"), "image_url": url("coat.png"),
    } | more  # fmt: skip


def consent(shop: Shop, *, marketing: bool = True) -> dict[str, Any]:
    return {
        "marketing": marketing, "at": shop.now.isoformat(), "basis": "consent", "source": f"{MARK} box",
        "text_version": f"{MARK} v1",
    }  # fmt: skip


def cart(shop: Shop, number: int) -> dict[str, Any]:
    """Everything ``cart.updated`` may say."""
    return {
        "quote_id": f"{MARK}-q{number}",
        "locale": "en-GB",
        "items": [line("coat-m")],
        "coupon_codes": [f"{MARK}-code"],
        "customer": {
            "id": f"{MARK}-customer", "email": ADDRESS, "registered": True, "first_name": f"Anna {MARK}",
            "group": f"{MARK} group", "orders_count": 1, "phone_hash": f"{MARK}-phone", "postcode_hash": f"{MARK}-code",
        },
        "consent": consent(shop),
        "cart_url": url("cart"),
        "restore_url": url("restore"),
        "intent_trace": {"reason_code": "other", "note": f"{MARK} hesitated"},
    }  # fmt: skip


def order(number: int) -> dict[str, Any]:
    """Everything ``order.placed`` may say."""
    return {
        "order_id": f"{MARK}-o{number}", "number": f"{MARK}-n{number}", "quote_id": f"{MARK}-q{number}",
        "items": [line("coat-m")], "coupon_codes": [f"{MARK}-code"], "ref": f"{MARK}-ref", "locale": "en-GB",
        "customer": {
            "id": f"{MARK}-customer", "email": ADDRESS, "registered": True, "phone_hash": f"{MARK}-phone",
            "postcode_hash": f"{MARK}-code",
        },
    }  # fmt: skip


@dataclass(frozen=True)
class Walk:
    """What a customer goes through."""

    shop: Shop
    sink: SmtpSink
    till: CouponShop
    model: LlmServer

    async def go(self) -> None:
        """Carts, mails, a coupon, links, a talk, a person asked for, a fresh link, an order, bounces, consent."""
        await self._prepare()
        await self._leave_carts()
        await self._read_the_mail()
        await self._talk()
        await self._ask_for_a_fresh_link()
        await self._order_and_report()
        await self._leave_another()

    async def _prepare(self) -> None:
        await with_coupons(self.shop, self.till)
        await choose(self.shop.runtime, "demo/en", self.model)
        # Nobody listens there, so what is to be told waits, with the address.
        await webhooks_endpoints.add(self.shop.runtime, "demo", "http://127.0.0.1:9/told", [], with_email=True)
        for size in ("m", "l"):
            told = {"product_id": f"coat-{size}", "parent_id": "coat", "name": f"Coat, {size.upper()}", "price": 45999}
            await self.shop.tell("product.updated", {"products": [told | {"currency": "EUR", "in_stock": True}]})

    async def _leave_carts(self) -> None:
        early = cart(self.shop, 1)
        early["customer"] = early["customer"] | {"email": None}
        await self._hook("cart.updated", early | {"consent": None})
        self.shop.clock.advance(minutes=1)
        # Who has a code already gets no coupon.
        await self._hook("cart.updated", cart(self.shop, 1) | {"coupon_codes": []})
        await self._hook("cart.updated", cart(self.shop, 2))
        await self.shop.abandon()
        await jobs.email(self.shop.runtime)

    async def _hook(self, event: str, data: dict[str, Any]) -> None:
        whole = {"currency": "EUR", "total": 45999, "checkout_stage": "contact"} | data
        await self.shop.tell(event, whole, webhook_id=f"{MARK}-{uuid.uuid4()}")

    async def _read_the_mail(self) -> None:
        for path in self._links("r"):
            await self.shop.client.get(path)
        await self.shop.tell("cart.restored", {"quote_id": f"{MARK}-q1", "ref": "r", "at": self.shop.now.isoformat()})
        async with db.in_transaction():
            await swap(await Cart.get(quote_id=f"{MARK}-q1"), uuid.uuid4(), "coat-m", "coat-l", self.shop.now)

    def _links(self, kind: str) -> list[str]:
        base = f"http://127.0.0.1:8000/{kind}/"
        words = [word for mail in self.sink.to(ADDRESS) for word in mail.text("plain").split()]
        return [word.removeprefix("http://127.0.0.1:8000") for word in words if word.startswith(base)]

    async def _talk(self) -> None:
        token = self._links("a")[0].rpartition("/")[2]
        runtime = self.shop.runtime
        # The first sentence is shown, the second held back.
        self.model.script(says(f"A fine coat, {MARK} agrees. {MARK} gets 50 % off!"))
        with listen("127.0.0.1", 0) as door:
            port = door.getsockname()[1]
            async with open_chat(runtime, BRISK) as chat, serving(runtime, chat, port, door):
                node = Node(f"http://127.0.0.1:{port}", chat)
                opened = await node.open(token)
                async with node.client() as client:
                    await client.hello(opened)
                    turn = await client.ask(f"My name is {MARK}, {ADDRESS}. Does it fit?")
                    await client.until_done(turn, 20)
                    for address in (None, OTHER_MAILBOX):
                        await client.send(t="person", id=str(uuid.uuid4()), address=address)
                        await client.until("person")
        await jobs.notice(runtime)

    async def _ask_for_a_fresh_link(self) -> None:
        token = self._links("a")[0].rpartition("/")[2]
        self.shop.clock.advance(minutes=1500)
        answer = await self.shop.client.post("/api/assistant/again", json={"token": token})
        assert answer.status_code == 202, answer.text
        await jobs.notice(self.shop.runtime)

    async def _order_and_report(self) -> None:
        await self.shop.order(**order(2))
        at = self.shop.now.isoformat()
        message_id = self.sink.to(ADDRESS)[0].message["Message-ID"]
        told = {"email": ADDRESS, "message_id": message_id, "at": at}
        await self.shop.tell("email.bounced", told | {"hard": False, "reason": f"452 {MARK} is on holiday"})
        await self.shop.tell("email.delivered", told)
        await self.shop.tell("consent.updated", {"email": ADDRESS, "consent": consent(self.shop)})
        link = unsubscribe_link(self.shop.runtime, self.shop.store.id, self.shop.runtime.keys.email_hash(ADDRESS))
        await self.shop.client.get(link)
        # What a shop that is read leaves behind.
        await SyncCart.create(
            connection_id=self.shop.connection.id, quote_id=f"{MARK}-q1", acts="a", content="c",
            changed_at=self.shop.now, round=1,
        )  # fmt: skip

    async def _leave_another(self) -> None:
        """A mail that waits in the queue, and a customer account that left no address."""
        await self._hook("cart.updated", cart(self.shop, 3))
        nameless = cart(self.shop, 4)
        nameless["customer"] = nameless["customer"] | {"email": None}
        await self._hook("cart.updated", nameless | {"consent": None})
        await self.shop.abandon()
        store = await find_store("demo/en")
        assert store.mode == "live"
        await self.shop.plan()


async def tables() -> list[str]:
    """Every table there is."""
    rows = await db.client().execute_query_dict(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
    )
    return sorted(row["table_name"] for row in rows)


async def tables_with(mark: str) -> list[str]:
    """Every table in which any column of any row holds ``mark``, whatever its type."""
    found = []
    for table in await tables():
        rows = await db.client().execute_query_dict(
            f"SELECT count(*)::int AS n FROM \"{table}\" t WHERE t::text ILIKE '%' || $1 || '%'",
            [mark],
        )
        if rows[0]["n"]:
            found.append(table)
    return found


def redis_with(address: str, mark: str) -> list[bytes]:
    """Every key of Redis that holds ``mark`` in its name or value."""
    with redis.Redis.from_url(address) as server:
        return [
            key for key in server.scan_iter()
            if mark.encode() in key.lower() or mark.encode() in (server.dump(key) or b"").lower()
        ]  # fmt: skip
