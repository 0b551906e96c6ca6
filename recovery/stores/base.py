"""What a connector that asks its shop must offer, whatever the shop is, and the errors it may raise."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from recovery.errors import CartbackError
from recovery.stores.snapshots import CartSnapshot, OrderSnapshot, ProductSnapshot


class ShopError(CartbackError):
    """The shop was asked and did not give a usable answer."""


class ShopAway(ShopError):
    """The shop does not answer for now: down, too slow, or it asks for patience; ``retry_after`` in seconds if told."""

    retry_after: float | None = None


class ShopRefused(ShopError):
    """The shop will never do this, however often it is asked."""


class ShopBusy(ShopError):
    """The shop could, but a shopper is in the middle of it; later."""


@dataclass(frozen=True, slots=True)
class ShopFront:
    """One shop front as the shop tells it; ``external_id`` is the shop's own number of it."""

    external_id: str
    code: str
    name: str
    locale: str
    currency: str
    timezone: str
    base_currency: str
    website_id: str
    link_url: str
    media_url: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class CartSeen:
    """A cart as a list shows it, before its money is asked for.

    ``acts`` condenses what the shopper did, ``content`` everything that could change the snapshot. ``row`` is the
    shop's own document, for the connector that made it.
    """

    quote_id: str
    store_id: str
    active: bool
    email: str | None
    items: int
    acts: str
    content: str
    changed_at: datetime | None
    created_at: datetime
    row: dict[str, Any] = field(repr=False, hash=False, compare=False)
    newsletter: bool | None = None
    skus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list read by id: go on after ``last``, or stop where it is None; ``skipped`` could not be read."""

    last: int | None
    skipped: tuple[int, ...] = ()
    carts: tuple[CartSeen, ...] = ()
    orders: tuple["OrderSeen", ...] = ()
    products: tuple[ProductSnapshot, ...] = ()
    #: Products that a visitor can't open or buy now, and whose price is therefore unknown: id → is switched off.
    unpriced: dict[str, bool] = field(default_factory=dict)
    #: Product and parent of every SKU (in lower case) on a page of products.
    ids: dict[str, tuple[str, str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderSeen:
    """An order and the shop front it was placed in."""

    store_id: str
    order: OrderSnapshot


@dataclass(frozen=True, slots=True)
class ProductRef:
    """Which product a line of a cart is, and where it can be looked at."""

    product_id: str
    parent_id: str | None = None
    url: str | None = None
    image_url: str | None = None


PageKind = Literal["page", "block"]


@dataclass(frozen=True, slots=True)
class ShopText:
    """A page or block of the shop's own, as readable text; a list of them leaves the text out."""

    kind: PageKind
    external_id: str
    identifier: str
    title: str
    text: str
    url: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class CouponWanted:
    """A one-time code to be made in the shop, the same as often as it is asked for.

    ``asked_before`` says that an earlier asking may have been heard. ``quote_id`` is the cart to put the code into, if
    it holds none.
    """

    code: str
    percent: int
    expires_at: datetime
    website_id: str
    uses_per_customer: int
    asked_before: bool = False
    quote_id: str | None = None


@dataclass(frozen=True, slots=True)
class WrongRule:
    """A price rule with one of our names that gives other coupons than it should; ``faults`` in words."""

    rule_id: str
    name: str
    faults: tuple[str, ...]


class Connector(Protocol):
    """Reads one shop and keeps its coupons; every time it tells is on our clock. Any method may raise ``ShopError``."""

    async def fronts(self) -> list[ShopFront]:
        """The shop fronts."""

    async def carts(self, since: datetime, after: int, skip: tuple[int, ...]) -> Page:
        """Active carts that changed since then, by id; ``skip`` are known to be unreadable."""

    async def carts_by_id(self, quote_ids: list[str]) -> list[CartSeen]:
        """These carts, in whatever state; the missing ones are gone."""

    async def cart(self, seen: CartSeen, front: ShopFront, products: dict[str, ProductRef]) -> CartSnapshot:
        """The whole cart with its money; ``products`` by SKU."""

    async def forms(self, quote_id: str) -> dict[str, dict[str, str] | None]:
        """What the shop's own form must be told, beside product and quantity, to put each line in again, by line id;
        None where that can't be told."""

    async def guest_cart(self, secret_id: str) -> str | None:
        """The quote id of an active guest's cart by the secret id that its own browser knows; None if there is none."""

    async def orders(self, since: datetime, after: int) -> Page:
        """Orders that changed since then, by id."""

    async def orders_of(self, quote_ids: list[str], email: str | None = None) -> list[OrderSeen]:
        """The orders made of these carts, and those of an address."""

    async def products(self, front: ShopFront, since: datetime | None, after: int) -> Page:
        """Products of a shop front, all or those changed since then, by id."""

    async def products_by_sku(self, front: ShopFront, skus: list[str]) -> Page:
        """These products and, of variants, their parents."""

    async def texts(self, front: ShopFront) -> list[ShopText]:
        """The pages and blocks of a shop front, without their texts."""

    async def texts_by_id(
        self, kind: PageKind, ids: list[str], front: ShopFront, since: datetime | None
    ) -> list[ShopText]:
        """These with their texts, all or those changed since then."""

    async def make_coupon(self, wanted: CouponWanted) -> list[WrongRule]:
        """Have the shop take a code; rules of ours that were found wrong and left alone.

        Raises:
            ShopRefused: it never will.
        """

    async def forget_coupon(self, code: str, *, at_once: bool) -> None:
        """Have the shop forget a code; that it never knew it is as good.

        Raises:
            ShopBusy: it lies in a cart that may be paid this minute, and ``at_once`` is not set.
        """
