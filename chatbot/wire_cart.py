"""The cart to restore as it goes over the wire: its lines and amounts as people read them."""

from typing import Any

from recovery.models import Cart, Store
from recovery.money import format_money, format_quantity
from recovery.swaps import ShownCart, ShownLine


def wire_lines(cart: Cart, store: Store, shown: ShownCart) -> list[dict[str, Any]]:
    """The lines of the cart to restore, as people read them."""
    return [_wire_line(cart, store, line) for line in shown.lines]


def _wire_line(cart: Cart, store: Store, line: ShownLine) -> dict[str, Any]:
    told = {
        "product_id": line.product_id,
        "name": line.name,
        "options": untold_values(line),
        "quantity": format_quantity(line.quantity, store.language, line.sold_by),
        "total": wire_money(cart, store, line.total),
        "image": line.image_url,
        "url": line.url,
        "in_stock": line.in_stock,
    }
    return told | ({"was": line.was} if line.was is not None else {})


def untold_values(line: ShownLine) -> str:
    """The options of a line in one text; a variant's name often says them already."""
    return " · ".join(option["value"] for option in line.options if option["value"] not in line.name)


def wire_money(cart: Cart, store: Store, amount: int | None) -> str | None:
    """An amount of the cart as people read it, None where only the shop can tell it."""
    return None if amount is None else format_money(amount, cart.currency, store.language, cart.currency_digits)
