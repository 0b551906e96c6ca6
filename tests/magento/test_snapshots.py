"""Recorded exchanges through the client: exactly these snapshots. The figures were copied by hand from the records."""

from datetime import UTC, datetime
from typing import Any

import pytest

from recovery.stores.base import CartSeen, ProductRef, ShopFront
from recovery.stores.magento import MagentoConnector, open_magento
from recovery.stores.magento_auth import Credentials
from recovery.stores.magento_errors import MagentoBroken
from recovery.stores.snapshots import CartSnapshot
from tests.magento.http import HttpThread, Reply, Request
from tests.magento.records import record

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DEFAULT = ShopFront(
    "1", "default", "Shop", "en-US", "EUR", "Europe/Warsaw", "PLN", "1", "http://shop/", "http://shop/media/"
)
POLISH = ShopFront(
    "2", "pl", "Sklep", "pl-PL", "PLN", "Europe/Warsaw", "PLN", "1", "http://shop/", "http://shop/media/"
)
FRONTS = {"1": DEFAULT, "2": POLISH}
PRODUCTS = {
    "bp-30": ProductRef("1", None, "http://shop/trail-backpack-30-l.html"),
    "wj-01-m-navy": ProductRef("7", "9", "http://shop/ridge-trekking-jacket.html"),
}


class Replay:
    """Answers with records: the list of carts, or what is asked about one of them."""

    def __init__(self, **numbers: str | None) -> None:
        self.numbers = numbers

    def __call__(self, request: Request) -> Reply:
        part = next((name for name in ("totals", "selected") if name in request.path), "first")
        number = self.numbers.get(part)
        if number is None:
            return Reply(200, b"[]", {"content-type": "application/json"})
        told = record(number)
        body = told.raw
        if part == "first" and "search" in request.path and not told.path.endswith("search") and told.status == 200:
            # A record of one cart by its id, asked for by the list.
            body = b'{"items":[' + body + b'],"total_count":1}'
        return Reply(told.status, body, {"content-type": told.headers["content-type"]})


async def read(cart: str, totals: str | None = None, payment: str | None = None) -> tuple[CartSeen, CartSnapshot]:
    """The first cart of a record, with totals and payment of others."""
    with HttpThread(Replay(first=cart, totals=totals, selected=payment)) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            (found, *_) = await connector.carts_by_id(["1"])
            return found, await connector.cart(found, FRONTS[found.store_id], PRODUCTS)


#: Cart, totals and payment of the records; then total, currency, e-mail, stage, and of each line product and money.
CARTS: list[tuple[str, str, str | None, int, str, str | None, str, list[tuple[str, int, int]]]] = [
    ("113", "115", "116", 20349, "EUR", None, "cart", [("1", 20000, 9260), ("7", 10000, 11089)]),
    ("114", "115", None, 20349, "EUR", None, "cart", [("1", 20000, 9260), ("7", 10000, 11089)]),
    ("121", "123", None, 20349, "EUR", None, "cart", [("1", 20000, 9260), ("7", 10000, 11089)]),
    ("126", "128", "129", 20696, "EUR", None, "shipping", [("1", 20000, 9260), ("7", 10000, 11089)]),
    ("127", "128", None, 20696, "EUR", None, "shipping", [("1", 20000, 9260), ("7", 10000, 11089)]),
    ("133", "135", "136", 20696, "EUR", "anna@example.com", "payment", [("1", 20000, 9260), ("7", 10000, 11089)]),
    ("134", "140", "136", 20696, "EUR", "anna@example.com", "payment", [("1", 20000, 9260), ("7", 10000, 11089)]),
    ("137", "139", None, 20696, "EUR", "anna@example.com", "shipping", [("1", 20000, 9260), ("7", 10000, 11089)]),
    ("246", "245", "136", 19869, "EUR", "anna@example.com", "payment", [("1", 20000, 8884), ("7", 10000, 10638)]),
    ("144", "146", "147", 115800, "PLN", None, "cart", [("1", 10000, 20000), ("7", 20000, 95800)]),
    ("151", "146", None, 115800, "PLN", None, "cart", [("1", 10000, 20000), ("7", 20000, 95800)]),
    ("152", "146", None, 115800, "PLN", None, "cart", [("1", 10000, 20000), ("7", 20000, 95800)]),
    ("154", "156", None, 117300, "PLN", "bartek@example.com", "shipping", [("1", 10000, 20000), ("7", 20000, 95800)]),
    ("158", "160", "161", 117300, "PLN", "bartek.second@example.com", "payment",
     [("1", 10000, 20000), ("7", 20000, 95800)]),
    ("162", "164", "165", 8495, "PLN", "celina@example.com", "payment", [("sku:HOOK-8", 50000, 5995)]),
    ("166", "168", "169", 671, "EUR", None, "cart", [("sku:EBOOK-1", 10000, 671)]),
    ("171", "173", "174", 671, "EUR", "vera@example.com", "payment", [("sku:EBOOK-1", 10000, 671)]),
    ("171", "173", None, 671, "EUR", "vera@example.com", "contact", [("sku:EBOOK-1", 10000, 671)]),
    ("319", "321", "322", 20000, "PLN", "john@example.com", "contact", [("1", 10000, 20000)]),
    ("320", "321", None, 20000, "PLN", "john@example.com", "contact", [("1", 10000, 20000)]),
    ("330", "332", None, 51998, "PLN", "john@example.com", "shipping",
     [("sku:SOCK-3", 20000, 9998), ("1", 20000, 40000)]),
    ("339", "340", None, 5500, "PLN", None, "cart", [("sku:PRICEY-1", 10000, 5500)]),
    # One of two rows is of a disabled, then of a deleted product: what shows is 200, what the totals say 241 and 242.
    ("343", "344", None, 20000, "PLN", None, "cart", [("1", 10000, 20000)]),
    ("349", "350", None, 20000, "PLN", None, "cart", [("1", 10000, 20000)]),
    ("352", "353", None, 0, "PLN", None, "cart", []),
    ("355", "356", None, 28600, "PLN", None, "cart", [("sku:OOS-1", 20000, 8600), ("1", 10000, 20000)]),
    # A variant was deleted: its line names the parent.
    ("418", "420", None, 89900, "PLN", None, "cart", [("sku:WJ-09", 10000, 69900), ("1", 10000, 20000)]),
]  # fmt: skip


@pytest.mark.parametrize("told", CARTS, ids=[f"{case[0]}-{case[1]}-{case[2]}" for case in CARTS])
async def test_a_recorded_cart_is_exactly_this(told: Any) -> None:
    cart, totals, payment, total, currency, email, stage, lines = told
    found, snapshot = await read(cart, totals, payment)
    assert (snapshot.total, snapshot.currency, snapshot.checkout_stage) == (total, currency, stage)
    assert (found.email, snapshot.customer.email) == (email, email)
    assert [(item.product_id, item.quantity, item.row_total) for item in snapshot.items] == lines
    assert snapshot.currency_digits == 2


async def test_the_whole_of_one_cart() -> None:
    found, cart = await read("246", "245", "136")
    assert (cart.quote_id, found.store_id, found.items) == ("1", "1", 2)
    assert (cart.subtotal, cart.discount, cart.shipping, cart.tax) == (20349, 827, 347, 3650)
    assert (cart.base_total, cart.coupon_codes) == (85827, ("BACK-AAAA2222",))
    assert cart.created_at == datetime(2026, 11, 23, 6, 23, 43, tzinfo=UTC)
    assert (cart.customer.registered, cart.customer.id, cart.customer.first_name) == (False, None, "Anna")
    assert cart.cart_url == "http://shop/checkout/cart/?___store=default"
    backpack, jacket = cart.items
    assert (backpack.name, backpack.sku, backpack.line_id) == ("Trail Backpack 30 l", "BP-30", "1")
    assert (backpack.row_total_before_discount, backpack.unit_price) == (9260, 4630)
    assert (jacket.parent_id, jacket.url) == ("9", "http://shop/ridge-trekking-jacket.html")
    assert jacket.options == (("Size", "M"), ("Color", "Navy"))


async def test_phone_and_postcode_come_along_to_be_hashed() -> None:
    for cart, totals in (("133", "135"), ("126", "128")):
        _, found = await read(cart, totals)
        assert (found.customer.phone, found.customer.postcode) == ("600000000", "00-001")
        assert "600000000" not in repr(found)
    _, early = await read("113", "115")
    assert (early.customer.phone, early.customer.postcode) == (None, None)


async def test_options_are_labelled_by_the_carts_own_store_view() -> None:
    _, cart = await read("144", "146")
    assert cart.items[1].options == (("Rozmiar", "M"), ("Color", "Navy"))
    assert (cart.items[1].name, cart.locale) == ("Kurtka trekkingowa Ridge", "pl-PL")


async def test_a_registered_customer_and_the_newsletter() -> None:
    found, cart = await read("319", "321")
    assert (cart.customer.id, cart.customer.registered, cart.customer.group) == ("1", True, "1")
    assert found.newsletter is False


async def test_the_cart_of_a_deleted_customer_has_no_address() -> None:
    assert record("402").body["billing_address"]["email"] == "gone@example.com"
    with HttpThread(Replay(first="402")) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            (found,) = await connector.carts_by_id(["329"])
    assert (found.active, found.email) == (True, None)


async def test_hostile_names_greet_nobody() -> None:
    with HttpThread(Replay(first="378", totals="321")) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            (seen,) = await connector.carts_by_id(["323"])
            cart = await connector.cart(seen, POLISH, PRODUCTS)
    assert (cart.customer.email, cart.customer.first_name) == ("mallory@example.com", None)


@pytest.mark.parametrize("number", ["274", "326"])
async def test_an_inactive_cart_has_no_rows(number: str) -> None:
    with HttpThread(Replay(first=number)) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            (found,) = await connector.carts_by_id(["1"])
    assert (found.active, found.items) == (False, 0)


async def test_totals_of_another_currency_are_not_this_carts() -> None:
    with pytest.raises(MagentoBroken, match="different currencies"):
        await read("133", "146")


async def test_only_the_shoppers_own_doing_counts_as_acts() -> None:
    """An estimate of shipping moves nothing; an address, an e-mail or a payment is the shopper's doing."""
    before, _ = await read("113", "115")
    estimated, _ = await read("121", "123")
    shipped, _ = await read("126", "128")
    paid, _ = await read("133", "135")
    assert before.acts == estimated.acts
    assert len({before.acts, shipped.acts, paid.acts}) == 3


# Orders

#: Record, number, quote, state, total, base total, currency, e-mail, refunded; then product, parent and money of lines.
ORDERS: list[tuple[str, Any, list[tuple[str, str | None, int, int]]]] = [
    ("291", ("000000001", "1", "paid", 19869, 85827, "EUR", "anna@example.com", 0),
     [("1", None, 20000, 8884), ("7", "9", 10000, 10638)]),
    ("299", ("2000000001", "2", "paid", 117300, 117300, "PLN", "bartek@example.com", 0),
     [("1", None, 10000, 20000), ("7", "9", 20000, 95800)]),
    ("306", ("2000000002", "7", "cancelled", 19687, 19687, "PLN", "olga@example.com", 0),
     [("1", None, 10000, 19187)]),
    ("425", ("2000000001", "2", "paid", 117300, 117300, "PLN", "bartek@example.com", 0),
     [("1", None, 10000, 20000), ("7", "9", 20000, 95800)]),
    ("427", ("2000000001", "2", "completed", 117300, 117300, "PLN", "bartek@example.com", 0),
     [("1", None, 10000, 20000), ("7", "9", 20000, 95800)]),
    ("429", ("2000000001", "2", "refunded", 117300, 117300, "PLN", "bartek@example.com", 117300),
     [("1", None, 10000, 20000), ("7", "9", 20000, 95800)]),
]  # fmt: skip


@pytest.mark.parametrize("told", ORDERS, ids=[case[0] for case in ORDERS])
async def test_a_recorded_order_is_exactly_this(told: Any) -> None:
    number, expected, lines = told

    def answer(request: Request) -> Reply:
        body = b'{"items":[' + record(number).raw + b'],"total_count":1}'
        return Reply(200, body, {"content-type": "application/json"})

    with HttpThread(answer) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            (found,) = await connector.orders_of(["1"])
    order = found.order
    told = (order.number, order.quote_id, order.state, order.total, order.base_total, order.currency)
    assert (*told, order.customer.email, order.refunded_total) == expected
    assert order.items is not None
    assert [(i.product_id, i.parent_id, i.quantity, i.row_total) for i in order.items] == lines


async def test_the_code_and_the_times_of_an_order() -> None:
    def answer(request: Request) -> Reply:
        return Reply(200, record("284").raw, {"content-type": "application/json"})

    with HttpThread(answer) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            (found,) = await connector.orders_of(["1"])
    assert found.order.coupon_codes == ("BACK-AAAA2222",)
    assert (found.order.customer.phone, found.order.customer.postcode) == ("600000000", "00-001")
    assert found.order.placed_at == datetime(2026, 11, 23, 6, 28, 44, tzinfo=UTC)
    assert found.order.occurred_at == datetime(2026, 11, 23, 6, 28, 45, tzinfo=UTC)


async def test_an_empty_list_may_be_null() -> None:
    assert record("471").body["items"] is None

    def answer(request: Request) -> Reply:
        return Reply(200, record("471").raw, {"content-type": "application/json"})

    with HttpThread(answer) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            assert await connector.orders_of(["1"]) == []


# Products and stores


def catalogue(rows: list[str], infos: str) -> Any:
    """A shop whose products are those of the records."""

    def answer(request: Request) -> Reply:
        if "render-info" in request.path:
            return Reply(200, record(infos).raw, {"content-type": "application/json"})
        if ("searchCriteria[filter_groups][0][filters][0][value]", "configurable") in request.query:
            return Reply(200, record("072").raw, {"content-type": "application/json"})
        body = b'{"items":[' + b",".join(record(number).raw for number in rows) + b'],"total_count":2}'
        return Reply(200, body, {"content-type": "application/json"})

    return answer


async def product_page(connector: MagentoConnector, front: ShopFront) -> Any:
    return await connector.products_by_sku(front, ["BP-30"])


#: Products and prices of the records, store view; id, name, price, currency, in stock, parent, link, picture.
SHELVES: list[tuple[list[str], str, ShopFront, list[tuple[Any, ...]]]] = [
    (["058"], "099", POLISH, [("1", "Plecak 30 l", 20000, "PLN", None)]),
    (["059"], "100", DEFAULT, [("1", "Trail Backpack 30 l", 4630, "EUR", None)]),
    (["061", "063"], "101", POLISH, [
        ("9", "Kurtka trekkingowa Ridge", 47900, "PLN", None),
        ("7", "Ridge Trekking Jacket-M-Navy", 47900, "PLN", "9")]),
    (["060"], "100", DEFAULT, [("9", "Ridge Trekking Jacket", 11089, "EUR", None)]),
]  # fmt: skip


@pytest.mark.parametrize("told", SHELVES, ids=["-".join([*case[0], case[1]]) for case in SHELVES])
async def test_recorded_products_are_exactly_these(told: Any) -> None:
    rows, infos, front, expected = told
    with HttpThread(catalogue(rows, infos)) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            page = await product_page(connector, front)
    assert [(p.product_id, p.name, p.price, p.currency, p.parent_id) for p in page.products] == expected
    assert all(product.in_stock for product in page.products)
    assert page.products[0].url in {
        "http://127.0.0.1:21300/trail-backpack-30-l.html", "http://127.0.0.1:21300/ridge-trekking-jacket.html",
    }  # fmt: skip
    assert (page.products[0].image_url or "").startswith("http://shop/media/catalog/product/")


async def test_a_special_price_is_the_price() -> None:
    with HttpThread(catalogue(["432"], "433")) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            (socks,) = (await connector.products_by_sku(POLISH, ["SOCK-3"])).products
    assert (socks.price, socks.regular_price) == (3999, 4999)


async def test_what_no_visitor_can_open_has_no_price() -> None:
    with HttpThread(catalogue(["058"], "433")) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            page = await connector.products_by_sku(POLISH, ["BP-30"])
    assert (page.products, page.unpriced) == ((), {"1": False})


async def test_the_store_views() -> None:
    def answer(request: Request) -> Reply:
        number = "044" if "Configs" in request.path else "049"
        return Reply(200, record(number).raw, {"content-type": "application/json"})

    with HttpThread(answer) as server:
        async with open_magento(server.url, Credentials("t"), lambda: NOW, allow_private=True) as connector:
            fronts = await connector.fronts()
    assert [(f.external_id, f.code, f.name, f.locale, f.currency, f.timezone) for f in fronts] == [
        ("1", "default", "Default Store View", "en-US", "EUR", "Europe/Warsaw"),
        ("2", "pl", "Polski", "pl-PL", "PLN", "Europe/Warsaw"),
    ]
    assert {(f.base_currency, f.website_id, f.media_url) for f in fronts} == {
        ("PLN", "1", "http://127.0.0.1:21300/media/")
    }
