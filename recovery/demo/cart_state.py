"""What the shop keeps of a cart, an order and a customer, and what a cart costs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from recovery.demo.catalogue.model import BY_PIECE, Catalogue, Measure, ShippingMethod, Variant
from recovery.demo.prices import percent_of

Stage = Literal["cart", "contact", "shipping", "payment", "review"]
STAGES: tuple[Stage, ...] = ("cart", "contact", "shipping", "payment", "review")
CartStatus = Literal["open", "ordered", "merged", "deleted"]
OrderState = Literal["pending", "paid", "completed", "cancelled"]
Outcome = Literal["kept", "price", "fewer", "sold_out", "gone"]


@dataclass
class Consent:
    """The newsletter box: what it said and when."""

    marketing: bool
    at: datetime


@dataclass
class Coupon:
    """A code that Cartback made for one customer; ``order_id`` is the order that used it."""

    store: str
    percent: int
    expires_at: datetime
    order_id: str | None = None
    withdrawn: bool = False

    def works(self, store: str, now: datetime) -> bool:
        return self.store == store and self.order_id is None and not self.withdrawn and now < self.expires_at


@dataclass
class Line:
    """So many pieces or packs of one variant; ``unit_price`` and ``name`` are what the shopper saw last."""

    variant_id: str
    quantity: int
    unit_price: int
    name: str


@dataclass
class LineChange:
    """What a restore found about one line: the words of the restored page are made from it."""

    name: str
    outcome: Outcome
    before: int = 0
    now: int = 0


@dataclass
class Cart:
    """A cart of one store; ``quote_id`` is the id that hooks carry and a restore link brings back."""

    quote_id: str
    store: str
    created_at: datetime
    activity_at: datetime
    version: int = 0
    status: CartStatus = "open"
    stage: Stage = "cart"
    lines: list[Line] = field(default_factory=list)
    email: str | None = None
    customer_id: str | None = None
    consent: Consent | None = None
    coupon: str | None = None
    shipping: str | None = None
    payment: str | None = None
    payment_failed: bool = False
    ref: str | None = None
    restored: list[LineChange] = field(default_factory=list)
    merged_into: str | None = None

    def reach(self, stage: Stage) -> bool:
        """Remember the furthest stage; True when this one is new."""
        if STAGES.index(stage) <= STAGES.index(self.stage):
            return False
        self.stage = stage
        return True

    def line(self, variant_id: str) -> Line | None:
        return next((line for line in self.lines if line.variant_id == variant_id), None)


@dataclass
class OrderLine:
    """A bought line as it was: later price changes do not touch it."""

    variant_id: str
    product_id: str
    name: str
    quantity: int
    row_total: int
    measure: Measure = BY_PIECE


@dataclass
class Order:
    """A placed order."""

    order_id: str
    number: str
    store: str
    quote_id: str | None
    state: OrderState
    placed_at: datetime
    currency: str
    total: int
    shipping: int
    discount: int
    lines: list[OrderLine]
    email: str
    customer_id: str | None = None
    payment: str | None = None
    coupon: str | None = None
    ref: str | None = None
    version: int = 1


@dataclass(frozen=True)
class PricedLine:
    """One line with its money; ``row_total`` is after the discount."""

    variant: Variant
    quantity: int
    before_discount: int
    row_total: int


@dataclass(frozen=True)
class PricedCart:
    """What a cart costs at the catalogue's present prices."""

    lines: tuple[PricedLine, ...]
    subtotal: int
    discount: int
    shipping: int | None
    total: int
    count: int


def price_cart(cart: Cart, catalogue: Catalogue, percent: int) -> PricedCart:
    """Cost of every line the catalogue still knows, ``percent`` off; shipping is None until it is chosen."""
    lines = []
    for line in cart.lines:
        variant = catalogue.variants.get(line.variant_id)
        if variant is None:
            continue
        before = variant.measure.cost(variant.price, line.quantity)
        lines.append(PricedLine(variant, line.quantity, before, before - percent_of(before, percent)))
    subtotal = sum(line.before_discount for line in lines)
    goods = sum(line.row_total for line in lines)
    method = catalogue.shipping_method(cart.shipping) if cart.shipping else None
    shipping = shipping_price(method, goods) if method and lines else None
    return PricedCart(
        lines=tuple(lines),
        subtotal=subtotal,
        discount=subtotal - goods,
        shipping=shipping,
        total=goods + (shipping or 0),
        count=sum(line.quantity if line.variant.measure.by_piece else 1 for line in lines),
    )


def shipping_price(method: ShippingMethod, goods: int) -> int:
    """The price of this way of delivery for goods of that worth."""
    return 0 if method.free_from is not None and goods >= method.free_from else method.price


def swap_lines(
    cart: Cart, swaps: Iterable[tuple[str, str]], catalogue: Catalogue, stock: Callable[[Variant], int]
) -> bool:
    """Put the variants a customer took instead into their lines, as far as they can be bought; whether any was."""
    swapped = False
    for was, instead in swaps:
        line, present = cart.line(was), cart.line(instead)
        old, new = catalogue.variants.get(was), catalogue.variants.get(instead)
        if not line or not old or not new or old.product_id != new.product_id:
            continue
        wanted = line.quantity + (present.quantity if present else 0)
        if stock(new) < wanted or wanted > new.measure.most:
            continue
        if present:
            present.quantity = wanted
            cart.lines.remove(line)
        else:
            line.variant_id, line.unit_price, line.name = new.id, new.price, new.name
        swapped = True
    return swapped
