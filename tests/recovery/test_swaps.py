"""What the cart to restore shows, and when money of a variant taken instead may be said."""

from datetime import UTC, datetime
from typing import Any

import pytest

from recovery.models import Cart, CartItem, CartSwap, Product
from recovery.swaps import ShownCart, shown_cart

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
M, L = "K-12-M", "K-12-L"


def shown(
    cart: dict[str, Any] | None = None,
    line: dict[str, Any] | None = None,
    variant: dict[str, Any] | None = None,
    swapped_at: int = 20_000,
) -> ShownCart:
    """Two pieces of M for 20.00 and a hat for 5.00; L, taken instead of M, costs 12.00."""
    row = Cart(**({"currency": "EUR", "currency_digits": 2, "total": 2500} | (cart or {})))
    items = [
        CartItem(
            **(
                {"position": 0, "product_id": M, "name": "Coat, M", "quantity": 20_000, "row_total": 2000}
                | {"options": [{"name": "Size", "value": "M"}, {"name": "Gift", "value": "yes"}]}
                | (line or {})
            )
        ),
        CartItem(position=1, product_id="hat", name="Hat", quantity=10_000, row_total=500, options=[]),
    ]
    taken = Product(
        **(
            {"product_id": L, "name": "Coat, L", "price": 1200, "currency": "EUR", "currency_digits": 2}
            | {"in_stock": True, "active": True, "attributes": [{"name": "Size", "value": "L"}]}
            | {"sold_by": "piece", "tax_included": True}
            | (variant or {})
        )
    )
    swap = CartSwap(product_id=M, taken_id=L, quantity=swapped_at, at=NOW)
    return shown_cart(row, items, [swap], {L: taken})


def test_the_variant_stands_in_the_place_of_the_line_with_today_s_price() -> None:
    cart = shown()
    first, hat = cart.lines
    assert (first.product_id, first.was, first.name, first.total) == (L, M, "Coat, L", 2400)
    assert first.options == [{"name": "Size", "value": "L"}]
    assert (hat.product_id, hat.was, hat.total) == ("hat", None, 500)
    assert (cart.total, cart.swaps) == (2900, [[M, L]])


def test_a_line_that_the_shop_changed_since_makes_the_swap_void() -> None:
    cart = shown(line={"quantity": 30_000})
    assert (cart.lines[0].product_id, cart.total, cart.swaps) == (M, 2500, [])


def test_a_line_that_is_gone_makes_the_swap_void() -> None:
    assert shown(line={"product_id": "K-13"}).swaps == []


def test_the_last_swap_of_a_line_counts() -> None:
    cart = Cart(currency="EUR", currency_digits=2, total=1000)
    item = CartItem(position=0, product_id=M, name="Coat", quantity=10_000, row_total=1000, options=[])
    swaps = [CartSwap(product_id=M, taken_id=taken, quantity=10_000, at=NOW) for taken in (L, None)]
    assert shown_cart(cart, [item], swaps, {}).swaps == []


@pytest.mark.parametrize(
    "variant", [{"sold_by": "square_metre"}, {"currency": "PLN"}, {"tax_included": False}, {"currency_digits": 3}]
)
def test_no_money_of_a_variant_is_guessed(variant: dict[str, Any]) -> None:
    cart = shown(variant=variant)
    assert (cart.lines[0].total, cart.total, cart.swaps) == (None, None, [[M, L]])


def test_no_money_is_said_of_a_discounted_line() -> None:
    assert shown(line={"row_total_before_discount": 2200}).lines[0].total is None


def test_a_total_with_more_than_its_lines_is_left_to_the_shop() -> None:
    cart = shown(cart={"total": 2990})
    assert (cart.lines[0].total, cart.total) == (2400, None)


def test_a_variant_sold_out_since_is_marked() -> None:
    assert not shown(variant={"in_stock": False}).lines[0].in_stock
