"""A shop of 20,000 carts and 50,000 products: requests per cart, time and memory, and what a round costs afterwards."""

import resource
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest

from recovery import sync_carts, sync_catalogue, sync_orders
from recovery.models import Cart, Product, Store, SyncState
from recovery.stores.magento import open_magento
from recovery.stores.magento_auth import Credentials
from recovery.stores.magento_http import MOST_PER_SECOND, Pace
from recovery.sync_round import begin
from tests.magento.desk import Desk
from tests.magento.fake import TOKEN
from tests.magento.state import Line, Quote
from tests.magento.state import Product as ShopProduct

CARTS, PRODUCTS = 20_000, 50_000
#: How many of the products lie in carts.
SKUS = 100


@dataclass
class Cost:
    """What one reading took."""

    what: str
    requests: int
    seconds: float
    memory: int
    money: int


def fill(desk: Desk, carts: int, products: int) -> None:
    """Guests at the payment step with one product each."""
    state = desk.magento.state
    stamp = state.stamp()
    for number in range(products - len(state.products)):
        made = ShopProduct(1000 + number, f"SKU-{number}", {0: f"Product {number}"}, Decimal(50 + number % 100))
        state.products[made.id] = replace(made, updated_at=stamp)
    for number in range(carts):
        a_cart(desk, number)


def a_cart(desk: Desk, number: int) -> Quote:
    state = desk.magento.state
    cart = state.new_cart(2)
    cart.lines.append(Line(state.next_id("item"), state.products[1000 + number % SKUS], 1))
    state.ship(cart)
    state.pay(cart, f"guest{number}@example.com")
    return cart


@asynccontextmanager
async def measured(desk: Desk, what: str, told: list[Cost]) -> AsyncIterator[None]:
    desk.magento.forget()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    yield
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    money = desk.magento.count("/totals")
    told.append(Cost(what, len(desk.magento.asked), time.monotonic() - started, grown // 1024, money))
    print(told[-1], flush=True)  # noqa: T201


async def a_round(desk: Desk, *, catalogue: bool = True) -> None:
    """As the worker reads it, but not at its polite pace and not ended after some minutes."""
    pace = Pace(at_once=2, per_second=100_000)
    where, key = desk.magento.url, Credentials(TOKEN)
    async with open_magento(where, key, desk.clock.now, allow_private=True, pace=pace) as connector:
        run = await begin(desk.runtime, desk.connection, connector)
        run.budget = 10**6
        del run.stores["1"], run.fronts["1"]
        assert await run.hold()
        await sync_orders.read(run)
        await sync_carts.read(run)
        if catalogue:
            await sync_catalogue.read(run)
        await run.release()


@pytest.mark.large
@pytest.mark.parametrize(("carts", "products"), [(CARTS // 10, PRODUCTS // 10), (CARTS, PRODUCTS)])
async def test_a_big_shop_is_read_once_and_then_by_what_changed(desk: Desk, carts: int, products: int) -> None:
    told: list[Cost] = []
    fill(desk, carts, products)
    async with measured(desk, "carts for the first time", told):
        await a_round(desk, catalogue=False)
    assert await Cart.all().count() == carts
    async with measured(desk, "catalogue for the first time", told):
        await a_round(desk)
    pl = await Store.get(code="pl")
    assert await Product.filter(store_id=pl.id, active=True).count() >= products - 10
    async with measured(desk, "a round with nothing new", told):
        await a_round(desk)
    for number in range(20):
        a_cart(desk, carts + number)
    desk.clock.advance(minutes=3)
    async with measured(desk, "a round with 20 new carts", told):
        await a_round(desk)
    # Once they have left the window, the old ones are looked up a last time.
    desk.clock.advance(days=60)
    async with measured(desk, "the round in which the old ones leave the window", told):
        await a_round(desk, catalogue=False)
    for number in range(20):
        a_cart(desk, 2 * carts + number)
    desk.clock.advance(minutes=3)
    async with measured(desk, "20 new carts beside all the old ones", told):
        await a_round(desk, catalogue=False)
    first, shelf, idle, fresh, _, later = told
    print(f"\n{carts} carts, {products} products ({MOST_PER_SECOND:.0f} requests a second are polite)")  # noqa: T201
    print(f"{'reading':50} {'requests':>9} {'totals':>7} {'s':>7} {'+MiB':>6} {'polite s':>8}")  # noqa: T201
    for cost in told:
        polite = cost.requests / MOST_PER_SECOND
        print(  # noqa: T201
            f"{cost.what:50} {cost.requests:9} {cost.money:7} {cost.seconds:7.1f} {cost.memory:6} {polite:8.0f}"
        )
    assert first.money == carts
    # Totals, payment method and orders of each; a product met for the first time is looked up at once.
    assert first.requests <= 3 * carts + 2 * SKUS + carts / 50 + 10
    assert shelf.requests <= products / 100 * 3 + carts / 50 + 20
    assert (idle.money, fresh.money, later.money) == (0, 20, 20)
    assert idle.requests <= carts / 50 + 10
    assert fresh.requests - idle.requests <= 20 * 3 + 5
    # Whatever lies in the shop beyond the window costs nothing.
    assert later.requests <= 20 * 3 + 15
    assert (await SyncState.get()).carts_read_at is not None
