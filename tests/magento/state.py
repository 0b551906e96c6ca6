"""What the fake shop knows: products, quotes and orders, and what its visitors do to them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tests.magento.marketing import Marketing

TAX = Decimal("1.23")
SHIPPING = Decimal(15)


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True)
class View:
    """A store view: one shop front of a website, with its currency and its rate from the base currency."""

    id: int
    code: str
    name: str
    locale: str
    currency: str
    rate: Decimal
    timezone: str = "Europe/Warsaw"


VIEWS = (
    View(1, "default", "Default Store View", "en_US", "EUR", Decimal("0.2315")),
    View(2, "pl", "Polski", "pl_PL", "PLN", Decimal(1)),
)
BASE = "PLN"


@dataclass
class Product:
    """A product; ``price`` is in base currency with tax, ``names`` by store view (0: all)."""

    id: int
    sku: str
    names: dict[int, str]
    price: Decimal = Decimal(100)
    type_id: str = "simple"
    status: int = 1
    visibility: int = 4
    in_stock: bool = True
    qty: int = 100
    children: tuple[int, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    special_price: Decimal | None = None
    updated_at: str = "2026-11-23 06:18:23"

    def name(self, store_id: int) -> str:
        return self.names.get(store_id, self.names[0])

    @property
    def final(self) -> Decimal:
        return self.special_price or self.price


@dataclass
class Line:
    """One row of a quote: the product bought and, for a variant, its parent."""

    item_id: int
    product: Product
    qty: int
    parent: Product | None = None


def blank_address() -> dict[str, Any]:
    names = ("region", "region_id", "region_code", "country_id")
    later = ("telephone", "postcode", "city", "firstname", "lastname", "email")
    return dict.fromkeys(names) | {"street": [""]} | dict.fromkeys(later)


@dataclass
class Quote:
    """A cart."""

    id: int
    store_id: int
    created_at: str
    updated_at: str
    billing: dict[str, Any] = field(default_factory=blank_address)
    shipping: dict[str, Any] = field(default_factory=blank_address)
    lines: list[Line] = field(default_factory=list)
    is_active: bool = True
    customer: dict[str, Any] | None = None
    customer_deleted: bool = False
    customer_email: str | None = None
    shipping_method: str | None = None
    payment_method: str | None = None
    coupon: str | None = None
    discount: int = 0
    reserved_order_id: str | None = None
    trigger_recollect: bool = False
    prefilled: bool = False

    @property
    def is_virtual(self) -> bool:
        return bool(self.lines) and all(line.product.type_id == "virtual" for line in self.lines)


@dataclass
class Order:
    """An order, as the fields that matter, and the lines it took from the quote."""

    id: int
    quote: Quote
    email: str
    created_at: str
    updated_at: str
    totals: dict[str, Any]
    coupon: str | None
    lines: list[Line]
    state: str = "new"
    status: str = "pending"
    refunded: bool = False

    def set(self, state: str, status: str, at: str) -> None:
        self.state, self.status, self.updated_at = state, status, at


@dataclass
class State:
    """Everything in the shop's database, and its clock."""

    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    skew: timedelta = timedelta(0)
    products: dict[int, Product] = field(default_factory=dict)
    quotes: dict[int, Quote] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    marketing: Marketing = field(init=False)
    texts: list[dict[str, Any]] = field(default_factory=list)
    _ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.marketing = Marketing(lambda: self.clock().date().isoformat())

    def clock(self) -> datetime:
        """The shop's own time."""
        return self.now() + self.skew

    def stamp(self) -> str:
        """The shop's time as its database writes it."""
        return self.clock().strftime("%Y-%m-%d %H:%M:%S")

    def next_id(self, kind: str, wanted: int | None = None) -> int:
        number = self._ids[kind] = wanted or self._ids.get(kind, 0) + 1
        return number

    def view(self, store_id: int) -> View:
        return next((view for view in VIEWS if view.id == store_id), VIEWS[0])

    def product(self, sku: str) -> Product:
        return next(p for p in self.products.values() if p.sku.lower() == sku.lower())

    def parent_of(self, product: Product) -> Product | None:
        return next((p for p in self.products.values() if product.id in p.children), None)

    # What visitors do.

    def new_cart(self, store_id: int = 1, quote_id: int | None = None) -> Quote:
        """An empty guest cart."""
        at = self.stamp()
        quote = Quote(self.next_id("quote", quote_id), store_id, at, at)
        quote.shipping["same_as_billing"] = 1
        self.quotes[quote.id] = quote
        return quote

    def add(self, quote: Quote, sku: str, qty: int = 1) -> Line:
        """Put a product into a cart; a variant goes in under its parent."""
        product = self.product(sku)
        line = Line(self.next_id("item"), product, qty, self.parent_of(product))
        quote.lines.append(line)
        quote.updated_at = self.stamp()
        return line

    def remove(self, quote: Quote, line: Line) -> None:
        quote.lines.remove(line)
        quote.updated_at = self.stamp()

    def ship(
        self,
        quote: Quote,
        *,
        email: str | None = None,
        method: str | None = "flatrate_flatrate",
        region_id: int | None = None,
    ) -> None:
        """The shipping step; Luma leaves the e-mail out."""
        address = {
            "region": "mazowieckie", "region_code": "mazowieckie", "region_id": region_id, "country_id": "PL",
            "street": ["ul. Testowa 1"],
            "telephone": "600000000", "postcode": "00-001", "city": "Warszawa", "firstname": "Anna",
            "lastname": "Example",
        }  # fmt: skip
        quote.shipping |= address | {"email": email, "same_as_billing": 0}
        quote.billing |= address | {"email": email}
        quote.shipping_method = method
        quote.updated_at = self.stamp()

    def pay(self, quote: Quote, email: str, method: str = "checkmo") -> None:
        """A payment method is chosen: the e-mail arrives, and ``updated_at`` does not move."""
        quote.billing["email"] = email
        quote.payment_method = method

    def log_in(self, quote: Quote, customer_id: int, email: str, *, subscribed: bool = False) -> None:
        """The cart is a customer's, with the address book's entry for the bill."""
        quote.customer = {"id": customer_id, "email": email, "subscribed": subscribed}
        quote.customer_email = email
        quote.billing |= {
            "region": "mazowieckie", "region_id": 1017, "region_code": "PL-14", "country_id": "PL",
            "street": ["ul. Probna 2"], "telephone": "600000001", "postcode": "00-002", "city": "Warszawa",
            "firstname": "John", "lastname": "Sample", "email": email,
        }  # fmt: skip
        quote.shipping |= {"email": email, "same_as_billing": 1}
        quote.prefilled = True
        quote.updated_at = self.stamp()

    def delete_customer(self, quote: Quote) -> None:
        assert quote.customer is not None
        quote.customer, quote.customer_deleted, quote.customer_email = None, True, None

    def switch_view(self, quote: Quote, store_id: int) -> None:
        quote.store_id = store_id
        quote.updated_at = self.stamp()

    def merge(self, guest: Quote) -> None:
        """A login in Luma: the guest's cart is gone."""
        del self.quotes[guest.id]

    def order(self, quote: Quote, totals: dict[str, Any], *, state: str = "new", status: str = "pending") -> Order:
        """Buy what is in the cart."""
        at = self.stamp()
        customer_id = quote.customer["id"] if quote.customer else None
        if quote.coupon and self.marketing.coupon(quote.coupon):
            self.marketing.note_use(quote.coupon, customer_id)
        email = str(quote.billing["email"] or quote.customer_email)
        order = Order(
            self.next_id("order"), quote, email, at, at, totals, quote.coupon, list(quote.lines), state, status
        )  # fmt: skip
        self.orders[order.id] = order
        quote.is_active = False
        quote.reserved_order_id = f"{order.id:09d}"
        quote.customer_email = email
        quote.updated_at = at
        return order

    def type_code(self, quote: Quote, code: str) -> None:
        """The shopper types a code in the cart, in whatever case."""
        quote.discount = self.marketing.discount(code, quote.customer["id"] if quote.customer else None)
        quote.coupon, quote.updated_at = code, self.stamp()

    def write(self, kind: str, identifier: str, title: str, content: str, stores: tuple[int, ...] = (0,)) -> None:
        """A CMS page or block; one of the same name and stores is edited."""
        at = self.stamp()
        known = [t for t in self.texts if (t["kind"], t["identifier"], t["stores"]) == (kind, identifier, stores)]
        text = known[0] if known else {"kind": kind, "stores": stores, "id": self.next_id(kind), "creation_time": at}
        text |= {"identifier": identifier, "title": title, "content": content, "update_time": at, "active": True}
        if not known:
            self.texts.append(text)

    def restore(self, order: Order) -> None:
        """A payment failed: the cart is active again, and keeps no trace of its order."""
        order.quote.is_active, order.quote.reserved_order_id = True, None
        order.quote.updated_at = self.stamp()

    def reprice(self, product: Product, price: Decimal) -> None:
        """A new price marks the carts that hold it; the next read by id recollects them."""
        product.price = price
        for quote in self.quotes.values():
            if any(product in (line.product, line.parent) for line in quote.lines):
                quote.trigger_recollect = True

    def edit_rule(self) -> None:
        """A cart rule is disabled: a consumer moves ``updated_at`` of every active cart and has them recollected."""
        for quote in self.quotes.values():
            if quote.is_active:
                quote.updated_at, quote.trigger_recollect = self.stamp(), True

    def read_by_id(self, quote: Quote) -> bool:
        """A read by id recollects and saves a cart that waits for it; whether it did."""
        if not quote.trigger_recollect:
            return False
        quote.trigger_recollect, quote.updated_at = False, self.stamp()
        return True


def sample_products() -> dict[int, Product]:
    """The products of the recorded shop that the tests use."""
    jacket = {0: "Ridge Trekking Jacket", 2: "Kurtka trekkingowa Ridge"}
    links = (("related", "BP-30"), ("related", "HOOK-8"), ("crosssell", "SOCK-3"), ("upsell", "WJ-09"))
    found = [
        Product(1, "BP-30", {0: "Trail Backpack 30 l", 2: "Plecak 30 l"}, Decimal(200),
                links=(("related", "SOCK-3"), ("crosssell", "HOOK-8"), ("upsell", "WJ-09"))),
        Product(2, "SOCK-3", {0: "Merino Socks", 2: "Skarpety merino"}, Decimal("49.99")),
        Product(3, "HOOK-8", {0: "Tent Hook"}, Decimal("9.99")),
        Product(4, "EBOOK-1", {0: "Trail Guide (voucher)"}, Decimal(29), "virtual"),
        Product(5, "LAMP/1 A", {0: "Head Lamp"}, Decimal("129.5")),
        *(Product(6 + i, f"WJ-01-{size}-NAVY", {0: f"Ridge Trekking Jacket-{size}-Navy"}, Decimal(479), visibility=1,
                  options=(("Size", size), ("Color", "Navy"))) for i, size in enumerate("SML")),
        Product(9, "WJ-01", jacket, Decimal(479), "configurable", children=(6, 7, 8), links=links, qty=0),
        Product(10, "WJ-09-S", {0: "Storm Jacket-S"}, Decimal(699), visibility=1, options=(("Size", "S"),)),
        Product(14, "OFF-1", {0: "Retired Stove"}, Decimal(99), status=2),
        Product(12, "WJ-09", {0: "Storm Jacket"}, Decimal(699), "configurable", children=(10,), qty=0),
    ]  # fmt: skip
    return {product.id: product for product in found}
