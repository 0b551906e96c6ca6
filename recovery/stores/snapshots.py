"""The one normal form in which carts, orders, products and the rest reach the core, whatever the shop is.

Money is in minor units of the snapshot's currency, quantities in 1/10,000, times are aware UTC, texts are clean.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

CLOCK_SKEW = timedelta(minutes=5)

CheckoutStage = Literal["cart", "contact", "shipping", "payment", "review"]
OrderState = Literal["pending", "paid", "completed", "cancelled", "refunded"]
LinkKind = Literal["related", "upsell", "crosssell"]


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person said about marketing mail, when and where."""

    marketing: bool
    at: datetime
    basis: str
    source: str
    text_version: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Who a cart or an order belongs to, as far as the store knows.

    ``phone`` and ``postcode`` are as written in the shop and never stored: only keyed hashes of them are.
    """

    id: str | None = None
    email: str | None = None
    registered: bool = False
    first_name: str | None = None
    group: str | None = None
    orders_count: int | None = None
    phone_hash: str | None = None
    postcode_hash: str | None = None
    phone: str | None = field(default=None, repr=False)
    postcode: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a cart or an order."""

    product_id: str
    name: str
    quantity: int
    row_total: int
    line_id: str | None = None
    parent_id: str | None = None
    sku: str | None = None
    row_total_before_discount: int | None = None
    unit_price: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    url: str | None = None
    image_url: str | None = None


@dataclass(frozen=True, slots=True)
class CartSnapshot:
    """A whole cart at one moment; ``occurred_at`` and ``version`` say which of two is newer."""

    quote_id: str
    occurred_at: datetime
    currency: str
    currency_digits: int
    items: tuple[Item, ...]
    total: int
    version: int | None = None
    created_at: datetime | None = None
    activity_at: datetime | None = None
    active: bool = True
    locale: str | None = None
    subtotal: int | None = None
    discount: int | None = None
    shipping: int | None = None
    tax: int | None = None
    base_total: int | None = None
    coupon_codes: tuple[str, ...] = ()
    checkout_stage: CheckoutStage = "cart"
    payment_failed: bool = False
    customer: Customer = Customer()
    consent: Consent | None = None
    cart_url: str | None = None
    restore_url: str | None = None
    intent_trace: dict[str, Any] | None = None
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class CartEnd:
    """A cart was deleted, or merged into another one."""

    quote_id: str
    occurred_at: datetime
    version: int | None = None
    into_quote_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrderSnapshot:
    """A whole order at one moment; ``quote_id`` or ``items`` null means the shop did not say."""

    order_id: str
    occurred_at: datetime
    state: OrderState
    placed_at: datetime
    currency: str
    currency_digits: int
    total: int
    customer: Customer
    number: str | None = None
    version: int | None = None
    quote_id: str | None = None
    refunded_total: int = 0
    base_total: int | None = None
    items: tuple[Item, ...] | None = None
    coupon_codes: tuple[str, ...] = ()
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class ProductSnapshot:
    """A product or variant as sold now; ``links`` null means the shop did not say."""

    product_id: str
    occurred_at: datetime
    name: str
    price: int
    currency: str
    currency_digits: int
    in_stock: bool
    version: int | None = None
    parent_id: str | None = None
    sku: str | None = None
    active: bool = True
    description: str = ""
    short_description: str = ""
    attributes: tuple[dict[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    brand: str | None = None
    regular_price: int | None = None
    lowest_price_30d: int | None = None
    tax_included: bool = True
    stock_quantity: int | None = None
    min_quantity: int | None = None
    quantity_step: int | None = None
    sold_by: str = "piece"
    url: str | None = None
    image_url: str | None = None
    locale: str | None = None
    links: dict[LinkKind, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """One text of the store's own; an empty text removes it."""

    key: str
    kind: str
    locale: str
    title: str
    text: str
    occurred_at: datetime
    url: str | None = None
    version: int | None = None
    facts: tuple[dict[str, Any], ...] = field(default=())


def is_newer(
    version: int | None, occurred_at: datetime, known_version: int | None, known_occurred_at: datetime
) -> bool:
    """Whether a snapshot replaces the known one: by version if both have it, else by time; equal replaces."""
    if version is not None and known_version is not None:
        return version >= known_version
    return occurred_at >= known_occurred_at


def not_ahead(told: datetime, now: datetime) -> datetime:
    """``told``, or now where the sender's clock runs too far ahead to be believed."""
    return now if told > now + CLOCK_SKEW else told
