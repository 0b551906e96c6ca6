"""What one shop front sells, in one language and currency: products, variants, policies and prices."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal


@dataclass(frozen=True)
class Choice:
    """One chosen value of an axis, for example the colour "Moss green"."""

    code: str
    name: str
    value: str
    value_name: str


@dataclass(frozen=True)
class Attribute:
    """One fact about a product; ``unit`` is empty for words."""

    code: str
    name: str
    value: str
    unit: str


@dataclass(frozen=True)
class Measure:
    """How something is sold: by the piece, or in packs of so many square metres."""

    sold_by: str
    pack: Decimal

    @property
    def by_piece(self) -> bool:
        return self.sold_by == "piece"

    @property
    def most(self) -> int:
        """Pieces or packs that one line of a cart takes."""
        return 20 if self.by_piece else 100

    def amount(self, packs: int) -> Decimal:
        """How much so many packs are."""
        return self.pack * packs

    def packs(self, amount: Decimal) -> int:
        """How many whole packs hold so much."""
        return int((amount / self.pack).to_integral_value(ROUND_CEILING))

    def cost(self, price: int, packs: int) -> int:
        """What so many packs cost at the price of one unit."""
        return int((price * self.amount(packs)).quantize(Decimal(1), ROUND_HALF_UP))


BY_PIECE = Measure("piece", Decimal(1))


@dataclass(frozen=True)
class Variant:
    """What goes into a cart: one product in one of its choices; ``stock`` counts pieces or packs."""

    id: str
    product_id: str
    name: str
    choices: tuple[Choice, ...]
    price: int
    stock: int
    picture: str
    attributes: tuple[Attribute, ...]
    measure: Measure


@dataclass(frozen=True)
class Axis:
    """A choice the shopper makes, with the values in the order they are offered."""

    code: str
    name: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Product:
    """A product as the list shows it; a product without axes has one variant with its own id."""

    id: str
    name: str
    brand: str
    summary: str
    description: tuple[str, ...]
    attributes: tuple[Attribute, ...]
    category: str
    price: int
    measure: Measure
    picture: str
    axes: tuple[Axis, ...]
    variants: tuple[Variant, ...]
    size_guide: str | None
    related: tuple[str, ...]
    upsell: tuple[str, ...]
    crosssell: tuple[str, ...]


@dataclass(frozen=True)
class ShippingMethod:
    """One way of delivery; the price is before the free-delivery rule."""

    code: str
    name: str
    note: str
    price: int
    free_from: int | None


@dataclass(frozen=True)
class PaymentMethod:
    """One way to pay: paid at once, paid later, or declined on purpose."""

    code: str
    name: str
    paid: bool
    fails: bool


@dataclass(frozen=True)
class Fact:
    """A number a policy states: an amount of money when ``currency`` is set, else a count."""

    name: str
    amount: int
    currency: str | None
    condition: str | None


@dataclass(frozen=True)
class Policy:
    """A text of the shop with the numbers in it as facts."""

    key: str
    kind: str
    title: str
    text: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class SizeGuide:
    """A table of body measurements in centimetres by size."""

    key: str
    title: str
    advice: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Catalogue:
    """Everything one shop front offers; ``code`` is the same in every language."""

    code: str
    name: str
    claim: str
    title: str
    lead: str
    email: str
    address: str
    language: str
    currency: str
    categories: tuple[tuple[str, str], ...]
    products: dict[str, Product]
    variants: dict[str, Variant]
    shipping: tuple[ShippingMethod, ...]
    free_shipping_from: int
    payments: tuple[PaymentMethod, ...]
    coupons: dict[str, int]
    policies: tuple[Policy, ...]
    size_guides: dict[str, SizeGuide]

    def category_name(self, code: str) -> str:
        return dict(self.categories)[code]

    def shipping_method(self, code: str) -> ShippingMethod | None:
        return next((method for method in self.shipping if method.code == code), None)

    def payment_method(self, code: str) -> PaymentMethod | None:
        return next((method for method in self.payments if method.code == code), None)
