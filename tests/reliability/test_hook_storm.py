"""A thousand hooks, shuffled, repeated and tied, from several senders at once: none lost, no cart wrong."""

import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import orjson

from recovery.models import Cart, HookDelivery, Order
from tests.reliability.web import serving
from tests.shop import MORNING, Clock, item, make_shop, open_runtime, settings_for, signed_headers

HOOKS, SENDERS = 1000, 8


@dataclass
class Told:
    """What the sender knows of one cart: the oracle, in the words of the published rules."""

    snapshots: list[dict[str, Any]] = field(default_factory=list)
    ordered: bool = False

    def now(self) -> tuple[Any, ...]:
        """The newest version is what counts; an order that stands makes it ordered."""
        last = max(self.snapshots, key=lambda data: data["version"])
        lines = [(line["product_id"], line["row_total"], line["quantity"] * 10_000) for line in last["items"]]
        status = "ordered" if self.ordered else "active"
        return status, last["version"], last["total"], last["checkout_stage"], last["customer"]["email"], lines


def storm(seed: int) -> tuple[list[tuple[str, bytes]], dict[str, Told]]:
    """Signed bodies with their ids, and what must be true at the end."""
    dice = random.Random(seed)
    carts: dict[str, Told] = {f"q{number}": Told() for number in range(150)}
    hooks: list[bytes] = []
    early: list[bytes] = []
    for number in range(int(HOOKS * 0.8)):
        quote_id = dice.choice(list(carts))
        told = carts[quote_id]
        if told.snapshots and dice.random() < 0.08 and not told.ordered:
            told.ordered = True
            hooks.append(_order(number, quote_id, dice))
            continue
        if not told.snapshots and dice.random() < 0.1:
            told.ordered = True
            early.append(_order(number, quote_id, dice))
        told.snapshots.append(_cart(quote_id, told, dice))
        # Five in a hundred happened in the same millisecond as the one before.
        tied = dice.random() < 0.05
        at = MORNING - timedelta(minutes=60) + timedelta(seconds=len(told.snapshots) - tied)
        hooks.append(_hook("cart.updated", told.snapshots[-1], at.isoformat()))
    bodies = list(enumerate(early + hooks))
    repeated = dice.sample(bodies, HOOKS - len(bodies))
    late = bodies[len(early) :] + repeated
    dice.shuffle(late)
    shuffled = bodies[: len(early)] + late
    return [(f"msg_{number}", body) for number, body in shuffled], {k: t for k, t in carts.items() if t.snapshots}


def _cart(quote_id: str, told: Told, dice: random.Random) -> dict[str, Any]:
    lines = [
        item(f"p{dice.randrange(9)}", dice.randrange(1, 90_000), dice.randrange(1, 5)) for _ in range(dice.randrange(4))
    ]
    return {
        "quote_id": quote_id,
        "version": len(told.snapshots) + 1,
        "currency": "EUR",
        "total": sum(line["row_total"] for line in lines),
        "items": lines,
        "checkout_stage": dice.choice(["cart", "contact", "shipping", "payment", "review"]),
        "customer": {"email": f"{quote_id}@example.com"},
    }


def _order(number: int, quote_id: str, dice: random.Random) -> bytes:
    data = {
        "order_id": f"o{number}", "quote_id": quote_id, "state": dice.choice(["pending", "paid"]), "currency": "EUR",
        "placed_at": MORNING.isoformat(), "total": 1, "customer": {"email": f"{quote_id}@example.com"},
    }  # fmt: skip
    return _hook("order.placed", data, MORNING.isoformat())


def _hook(event: str, data: dict[str, Any], at: str) -> bytes:
    return orjson.dumps({"type": event, "occurred_at": at, "store": "en", "data": data})


async def test_a_thousand_hooks(database_url: str, redis_url: str) -> None:
    clock = Clock()
    async with open_runtime(settings_for(database_url, redis_url), clock) as runtime, serving(runtime) as address:
        async with httpx2.AsyncClient(base_url=address, timeout=30) as client:
            shop = await make_shop(runtime, clock, client)
            queue, carts = storm(seed=7)
            statuses: list[str] = []

            async def sender() -> None:
                while queue:
                    webhook_id, body = queue.pop(0)
                    response = await shop.post(body, signed_headers(shop.secret, body, webhook_id))
                    assert response.status_code == 200, response.text
                    statuses.append(response.json()["status"])

            sent = {webhook_id for webhook_id, _ in queue}
            await asyncio.gather(*(sender() for _ in range(SENDERS)))

        assert len(statuses) == HOOKS
        assert statuses.count("duplicate") == HOOKS - len(sent) >= HOOKS * 0.15
        assert {delivery.webhook_id for delivery in await HookDelivery.all()} == sent
        wrong = {}
        for quote_id, told in carts.items():
            cart = await Cart.get(quote_id=quote_id).prefetch_related("items")
            lines = [(line.product_id, line.row_total, line.quantity) for line in cart.items]
            stored = (cart.status, cart.version, cart.total, cart.checkout_stage, cart.email, lines)
            if stored != told.now():
                wrong[quote_id] = (stored, told.now())
        assert wrong == {}
        assert await Cart.all().count() == len(carts)
        assert await Order.all().count() == sum(told.ordered for told in carts.values())
