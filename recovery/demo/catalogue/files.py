"""The shape of a catalogue folder's JSON files: numbers once, words per language."""

from collections.abc import Mapping
from dataclasses import field
from decimal import Decimal
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

Money = Mapping[str, int]
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, config=_STRICT)
class AxisEntry:
    code: str
    values: list[str]


@dataclass(frozen=True, config=_STRICT)
class ProductEntry:
    """``stock_of`` and ``price_of`` name what differs from the product, by the variant's part of the id.

    What is ``sold_by`` an area is bought in whole packs: ``pack`` says how much is in one, and prices are per unit.
    Stock counts pieces or packs.
    """

    id: str
    kind: str
    category: str
    price: Money
    axes: list[AxisEntry]
    stock: int
    related: list[str]
    upsell: list[str]
    crosssell: list[str]
    stock_of: dict[str, int] = field(default_factory=dict)
    price_of: dict[str, Money] = field(default_factory=dict)
    brand: str | None = None
    sold_by: str = "piece"
    pack: Decimal = Decimal(1)
    colour: str | None = None
    size_guide: str | None = None


@dataclass(frozen=True, config=_STRICT)
class ShippingEntry:
    code: str
    price: Money


@dataclass(frozen=True, config=_STRICT)
class PaymentEntry:
    code: str
    paid: bool
    fails: bool = False


@dataclass(frozen=True, config=_STRICT)
class FactEntry:
    """A count, or money per currency; ``slot`` is the place in the policy's text that shows it."""

    name: str
    slot: str
    count: int | None = None
    money: Money | None = None
    condition: str | None = None


@dataclass(frozen=True, config=_STRICT)
class PolicyEntry:
    key: str
    kind: str
    facts: list[FactEntry]


@dataclass(frozen=True, config=_STRICT)
class SizeGuideEntry:
    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True, config=_STRICT)
class Numbers:
    """catalogue.json: everything that is the same in every language."""

    colours: dict[str, str]
    categories: list[str]
    products: list[ProductEntry]
    coupons: dict[str, int]
    shipping: list[ShippingEntry]
    free_shipping_from: Money
    payments: list[PaymentEntry]
    size_guides: dict[str, SizeGuideEntry]
    policies: list[PolicyEntry]


@dataclass(frozen=True, config=_STRICT)
class ShopWords:
    """``title`` and ``lead`` head the list; ``email`` and ``address`` are who writes the shop's mails."""

    name: str
    claim: str
    brand: str
    title: str
    lead: str
    email: str
    address: str


@dataclass(frozen=True, config=_STRICT)
class ProductWords:
    """``attributes`` are [code, value] or [code, value, unit]; ``{id}`` in a value stands for that product's name.

    ``own`` holds what is said otherwise, or besides, of one variant, by its part of the id.
    """

    name: str
    summary: str
    description: list[str]
    attributes: list[list[str]]
    own: dict[str, list[list[str]]] = field(default_factory=dict)


@dataclass(frozen=True, config=_STRICT)
class Words:
    """en.json, pl.json: the names and texts of one language."""

    shop: ShopWords
    categories: dict[str, str]
    axes: dict[str, str]
    values: dict[str, str]
    attributes: dict[str, str]
    columns: dict[str, str]
    products: dict[str, ProductWords]
    shipping: dict[str, tuple[str, str]]
    payments: dict[str, str]
    conditions: dict[str, str]
    size_guides: dict[str, str]
    size_advice: dict[str, str]
    policies: dict[str, tuple[str, str]]


def read_numbers(folder: Path) -> Numbers:
    return TypeAdapter(Numbers).validate_json((folder / "catalogue.json").read_bytes())


def read_words(folder: Path, language: str) -> Words:
    return TypeAdapter(Words).validate_json((folder / f"{language}.json").read_bytes())
