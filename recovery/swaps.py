"""The cart to restore: the cart as the shop told it, with the variants that its customer took instead.

The rows of the cart stay what the shop told. A swap counts while the shop's line is as it was when it was made; money
is only said where typed facts give it.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from recovery.errors import CartbackError
from recovery.models import Cart, CartItem, CartSwap, Product
from recovery.money import QUANTITY_SCALE

OPEN_CARTS = frozenset({"active", "inactive"})


class SwapRefused(CartbackError):
    """Another variant can't be put in place of a line; the message says why, for the log."""


@dataclass(frozen=True)
class ShownLine:
    """A line of the cart to restore; ``was`` is the shop's product of the line where another stands in its place.

    ``total`` of such a line is today's price of the variant, and None where only the shop can tell it. ``item`` is the
    line as the shop told it.
    """

    item: CartItem
    product_id: str
    name: str
    options: list[dict[str, str]]
    total: int | None
    image_url: str | None
    url: str | None
    in_stock: bool
    was: str | None = None
    sold_by: str = "piece"

    @property
    def quantity(self) -> int:
        """In 1/10,000."""
        quantity: int = self.item.quantity
        return quantity


@dataclass(frozen=True)
class ShownCart:
    """The cart to restore; ``total`` is None where only the shop can tell it."""

    lines: list[ShownLine]
    total: int | None

    @property
    def swaps(self) -> list[list[str]]:
        """What stands in place of what: [the shop's product id, the one taken instead]."""
        return [[line.was, line.product_id] for line in self.lines if line.was is not None]


def state_today(cart: Cart, item: CartItem, product: Product | None) -> Literal["in", "changed", "gone", "unknown"]:
    """What became of a line since the shop told it: there as it was, at another price, not to be had, or not known."""
    if product is None or product.currency != cart.currency:
        return "unknown"
    if not product.active or not product.in_stock:
        return "gone"
    return "changed" if item.unit_price is not None and item.unit_price != product.price else "in"


async def read_shown(cart: Cart) -> ShownCart:
    """The cart to restore, as it stands now."""
    items = await CartItem.filter(cart_id=cart.id).order_by("position")
    swaps = await CartSwap.filter(cart_id=cart.id).order_by("id")
    wanted = {item.product_id for item in items} | {swap.taken_id for swap in swaps if swap.taken_id}
    products = await Product.filter(store_id=cart.store_id, product_id__in=wanted)
    return shown_cart(cart, items, swaps, {product.product_id: product for product in products})


def shown_cart(
    cart: Cart, items: Sequence[CartItem], swaps: Iterable[CartSwap], products: Mapping[str, Product]
) -> ShownCart:
    """The shop's lines with the swaps that still hold; of several for one line the last counts."""
    last = {swap.product_id: swap for swap in swaps}
    lines = [_line(cart, item, last.get(item.product_id), products) for item in items]
    if not any(line.was for line in lines):
        return ShownCart(lines, cart.total)
    # Discounts, delivery or tax beside the lines may change with them; then only the shop can tell.
    known = [line.total for line in lines if line.total is not None]
    adds_up = cart.total == sum(item.row_total for item in items)
    return ShownCart(lines, sum(known) if adds_up and len(known) == len(lines) else None)


def _line(cart: Cart, item: CartItem, swap: CartSwap | None, products: Mapping[str, Product]) -> ShownLine:
    taken = products.get(swap.taken_id or "") if swap is not None and swap.quantity == item.quantity else None
    if taken is None:
        product = products.get(item.product_id)
        available = product is None or (product.active and product.in_stock)
        return ShownLine(
            item, item.product_id, item.name, item.options, item.row_total, item.image_url, item.url, available,
            sold_by=product.sold_by if product is not None else "piece",
        )  # fmt: skip
    values = {str(entry["name"]): str(entry["value"]) for entry in taken.attributes}
    names = [option["name"] for option in item.options if option["name"] in values]
    return ShownLine(
        item=item,
        product_id=taken.product_id,
        name=taken.name,
        options=[{"name": name, "value": values[name]} for name in names],
        total=_price_today(cart, item, taken),
        image_url=taken.image_url or item.image_url,
        url=taken.url or item.url,
        in_stock=taken.active and taken.in_stock,
        was=item.product_id,
        sold_by=taken.sold_by,
    )


def _price_today(cart: Cart, item: CartItem, taken: Product) -> int | None:
    discounted = item.row_total_before_discount not in (None, item.row_total)
    same_money = (taken.currency, taken.currency_digits) == (cart.currency, cart.currency_digits)
    pieces, rest = divmod(item.quantity, QUANTITY_SCALE)
    if taken.sold_by != "piece" or rest or discounted or not same_money or not taken.tax_included:
        return None
    today: int = taken.price * pieces
    return today


async def swap(cart: Cart, client_id: uuid.UUID, line: str, product: str, now: datetime) -> Literal["swapped", "known"]:
    """Put variant ``product`` in place of a line; its own product takes a swap back. Call with the cart locked.

    ``line`` is the shop's product id of the line or what stands in its place. The same ``client_id`` swaps once.

    Raises:
        SwapRefused: there is no such line, or that is no variant of it that can be bought.
    """
    if await CartSwap.exists(cart_id=cart.id, client_id=client_id):
        return "known"
    if cart.status not in OPEN_CARTS:
        raise SwapRefused(f"the cart is {cart.status}")
    shown = await read_shown(cart)
    found = [each for each in shown.lines if line in (each.item.product_id, each.product_id)]
    if len(found) != 1:
        raise SwapRefused(f"{len(found)} lines are called so")
    item = found[0].item
    if product != item.product_id:
        others = {each.product_id for each in shown.lines if each is not found[0]}
        await _check(cart, item, product, others)
    await CartSwap.create(
        cart_id=cart.id, client_id=client_id, product_id=item.product_id, quantity=item.quantity,
        taken_id=None if product == item.product_id else product, at=now,
    )  # fmt: skip
    return "swapped"


async def _check(cart: Cart, item: CartItem, product: str, others: set[str]) -> None:
    if product in others:
        raise SwapRefused("it is in the cart already")
    rows = await Product.filter(store_id=cart.store_id, product_id__in=[item.product_id, product])
    known = {row.product_id: row for row in rows}
    taken, told = known.get(product), known.get(item.product_id)
    family = item.parent_id or (told.parent_id if told is not None else None)
    if taken is None or family is None or taken.parent_id != family:
        raise SwapRefused("no variant of the same product")
    short = taken.stock_quantity is not None and taken.stock_quantity < item.quantity
    if not taken.active or not taken.in_stock or short:
        raise SwapRefused("it can't be bought now")
