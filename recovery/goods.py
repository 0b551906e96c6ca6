"""What a store sells and promises, and what a cart holds, as plain values: the typed facts stand in their fields.

Numbers about money, stock and policies are typed; texts are the store's own and only ever quoted or read.
"""

from dataclasses import dataclass
from typing import Any, Literal

LinkKind = Literal["related", "upsell", "crosssell"]
CouponOutcome = Literal["works", "used", "over", "withdrawn"]


@dataclass(frozen=True)
class Item:
    """A product or variant that the store sells."""

    id: str
    name: str
    price: int
    currency: str
    digits: int
    in_stock: bool
    parent_id: str | None = None
    title: str = ""
    description: str = ""
    short_description: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    categories: tuple[str, ...] = ()
    stock_quantity: int | None = None
    sold_by: str = "piece"
    url: str | None = None
    image_url: str | None = None
    pack: int | None = None

    @property
    def called(self) -> str:
        """Its name in a sentence: of a variant, that of its product."""
        return self.title or self.name

    @property
    def family(self) -> str:
        """The same for all variants of one product."""
        return self.parent_id or self.id


@dataclass(frozen=True)
class Line:
    """A line of the cart; ``item`` is None when the store never told about the product, or has ``withdrawn`` it.

    ``unit_price`` is what one cost when the cart was saved; ``row_total`` is None where only the shop can tell it, as
    ``total`` of the whole cart may be, after the customer took another variant.
    """

    name: str
    quantity: int
    row_total: int | None
    product_id: str
    item: Item | None = None
    options: tuple[tuple[str, str], ...] = ()
    unit_price: int | None = None
    withdrawn: bool = False


@dataclass(frozen=True)
class Link:
    """``source`` offers ``item``."""

    source: str
    kind: LinkKind
    item: Item


@dataclass(frozen=True)
class PolicyText:
    """A text of the store's own, with its typed facts."""

    kind: str
    title: str
    text: str
    url: str | None = None
    facts: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class OwnCoupon:
    """The coupon that was prepared for a cart and its customer, and what became of it.

    ``until`` is ``weekday, day month year, hour and time zone`` as people at the store say it.
    """

    code: str
    percent: int
    until: str
    outcome: CouponOutcome = "works"
