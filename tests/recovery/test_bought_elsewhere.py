"""Whether somebody else's order was probably this cart: signs, contradictions and what many buy."""

from datetime import timedelta
from typing import Any

import pytest

from recovery.bought_elsewhere import OrderTrace, Trace, contact_hashes, items_key, likely_purchase, window
from recovery.models import Order
from recovery.secrets import Keys, Vault
from recovery.stores.snapshots import Customer
from recovery.text import phone_digits, plain_postcode
from tests.shop import MORNING, Shop, item

UNTIL = MORNING + timedelta(hours=72)
KEYS = Keys(("k",), Vault(["k"]), b"pepper", b"u")


def trace(person: str = "eva", phone: str | None = None, postcode: str | None = None, products: str = "") -> Trace:
    return Trace(person, phone, postcode, frozenset(products))


def order(hours: float = 1, **told: Any) -> OrderTrace:
    return OrderTrace(MORNING + timedelta(hours=hours), trace(**told))


CART = trace("anna", phone="p", postcode="c", products="ab")


@pytest.mark.parametrize(
    ("orders", "sign"),
    [
        ([order(phone="p")], "phone"),
        ([order(phone="p", postcode="z", products="xy")], "phone"),
        ([order(postcode="c", products="bx")], "postcode"),
        ([order(postcode="c", products="xy")], None),
        ([order(products="ab")], "items"),
        ([order(products="abc")], None),
        ([order(products="a")], None),
        # Who is known to be somebody else is somebody else.
        ([order(phone="q", products="ab")], None),
        ([order(postcode="z", products="ab")], None),
        # What two people bought, many buy.
        ([order(products="ab"), order(person="ola", products="ab")], None),
        ([order(products="ab"), order(products="ab")], "items"),
        # The clearest sign counts, and their own orders are none.
        ([order(products="ab"), order(person="ola", phone="p")], "phone"),
        ([order(person="anna", phone="p", postcode="c", products="ab")], None),
        ([], None),
    ],
)
def test_signs_of_a_purchase(orders: list[OrderTrace], sign: str | None) -> None:
    found = likely_purchase(CART, orders, UNTIL)
    assert (found.sign if found else None) == sign


def test_nothing_known_is_no_sign() -> None:
    assert likely_purchase(trace("anna"), [order(), order(person="ola")], UNTIL) is None


def test_the_first_order_with_the_sign_is_told() -> None:
    found = likely_purchase(CART, [order(5, phone="p"), order(2, phone="p")], UNTIL)
    assert found is not None
    assert (found.placed_at, found.holds_until) == (MORNING + timedelta(hours=2), UNTIL)


def test_an_order_from_before_the_cart_was_begun_is_none_of_it() -> None:
    begun, changed = MORNING, MORNING + timedelta(hours=100)
    assert window(begun, changed, 72) == (changed - timedelta(hours=72), changed + timedelta(hours=72))
    assert window(changed, changed, 72)[0] == changed


def test_which_products_not_how_many_nor_in_which_order() -> None:
    assert items_key(["a", "b", "a"]) == items_key(["b", "a"]) != items_key(["a"])
    assert items_key([]) is None


@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("+48 600-123 456", "600123456"),
        ("0048600123456", "600123456"),
        ("600123456", "600123456"),
        ("(020) 7946 0018", "079460018"),
        ("+44 20 7946 0018", "079460018"),
        ("12345", None),
        ("000 000 000", None),
        ("600 000 000", None),
        ("123456789", None),
        ("none", None),
        ("", None),
    ],
)
def test_a_phone_number_however_it_is_written(written: str, digits: str | None) -> None:
    assert phone_digits(written) == digits


@pytest.mark.parametrize(
    ("written", "plain"), [("00-950", "00950"), (" sw1a 1aa ", "SW1A1AA"), ("12", None), ("00-000", None), ("", None)]
)
def test_a_postcode_however_it_is_written(written: str, plain: str | None) -> None:
    assert plain_postcode(written) == plain


def test_only_keyed_hashes_are_left_of_phone_and_postcode() -> None:
    one = contact_hashes(KEYS, Customer(phone="+48 600 123 456", postcode="00-950"))
    other = contact_hashes(KEYS, Customer(phone="600123456", postcode="00950"))
    assert one == other
    assert "600123456" not in str(one)
    assert (
        one["phone_hash"]
        != contact_hashes(Keys(("k",), Vault(["k"]), b"other", b"u"), Customer(phone="600123456"))["phone_hash"]
    )
    # The shop's own hash is hashed once more, and never equals that of a number.
    told = contact_hashes(KEYS, Customer(phone_hash="600123456"))
    assert "600123456" not in str(told)
    assert told["phone_hash"] != one["phone_hash"]
    assert contact_hashes(KEYS, Customer()) == {"phone_hash": None, "postcode_hash": None}


async def test_carts_and_orders_keep_hashes_and_which_products(shop: Shop) -> None:
    told = {"phone_hash": "sha-of-a-number", "postcode_hash": "sha-of-a-place"}
    await shop.cart(customer={"email": "anna@example.com"} | told)
    await shop.order(customer={"email": "eva@example.com"} | told, items=[item("b"), item("a")], quote_id="9")
    cart, placed = await shop.stored(), await Order.get()
    assert cart.phone_hash == placed.phone_hash != "sha-of-a-number"
    assert cart.postcode_hash == placed.postcode_hash
    assert placed.items_key == items_key(["a", "b"])
    # Once told, they stay.
    shop.clock.advance(minutes=1)
    await shop.cart()
    await shop.order(state="completed", event="order.updated", quote_id="9")
    assert (await shop.stored()).phone_hash == cart.phone_hash
    again = await Order.get()
    assert (again.phone_hash, again.items_key) == (placed.phone_hash, placed.items_key)
