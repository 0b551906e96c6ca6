"""Loads a catalogue folder for one shop front: numbers and words joined, variants spelt out."""

from itertools import product as combinations
from pathlib import Path

from recovery.demo.catalogue.files import (
    FactEntry,
    Numbers,
    PolicyEntry,
    ProductEntry,
    ProductWords,
    Words,
    read_numbers,
    read_words,
)
from recovery.demo.catalogue.model import (
    Attribute,
    Axis,
    Catalogue,
    Choice,
    Fact,
    Measure,
    PaymentMethod,
    Policy,
    Product,
    ShippingMethod,
    SizeGuide,
    Variant,
)
from recovery.demo.prices import format_price
from recovery.errors import SetupError

_FOLDER = Path(__file__).parent


def catalogue_folder(name: str) -> Path:
    """The folder of the catalogue called ``name``."""
    folder = _FOLDER / name
    if not (folder / "catalogue.json").is_file():
        known = ", ".join(sorted(found.parent.name for found in _FOLDER.glob("*/catalogue.json")))
        raise SetupError(f"There is no demo catalogue called {name!r}.", f"Choose one of: {known}.")
    return folder


def load_catalogue(name: str, language: str, currency: str) -> Catalogue:
    """Read the catalogue called ``name`` as one shop front shows it."""
    return read_catalogue(catalogue_folder(name), language, currency)


def read_catalogue(folder: Path, language: str, currency: str) -> Catalogue:
    """Read a catalogue from its folder, wherever that lies."""
    numbers, words = read_numbers(folder), read_words(folder, language)
    products = {entry.id: _product(entry, words, folder.name, currency) for entry in numbers.products}
    free_from = numbers.free_shipping_from[currency]
    return Catalogue(
        code=folder.name,
        name=words.shop.name,
        claim=words.shop.claim,
        title=words.shop.title,
        lead=words.shop.lead,
        email=words.shop.email,
        address=words.shop.address,
        language=language,
        currency=currency,
        categories=tuple((code, words.categories[code]) for code in numbers.categories),
        products=products,
        variants={variant.id: variant for item in products.values() for variant in item.variants},
        shipping=tuple(
            ShippingMethod(entry.code, *words.shipping[entry.code], entry.price[currency], free_from)
            for entry in numbers.shipping
        ),
        free_shipping_from=free_from,
        payments=tuple(
            PaymentMethod(entry.code, words.payments[entry.code], entry.paid, entry.fails) for entry in numbers.payments
        ),
        coupons=numbers.coupons,
        policies=tuple(_policy(entry, words, currency, language) for entry in numbers.policies),
        size_guides=_size_guides(numbers, words),
    )


def _product(entry: ProductEntry, words: Words, catalogue: str, currency: str) -> Product:
    text = words.products[entry.id]
    variants = _variants(entry, words, catalogue, currency)
    return Product(
        id=entry.id,
        name=text.name,
        brand=entry.brand or words.shop.brand,
        summary=text.summary,
        description=tuple(text.description),
        attributes=_attributes(text.attributes, words),
        category=entry.category,
        price=entry.price[currency],
        measure=Measure(entry.sold_by, entry.pack),
        picture=variants[0].picture,
        axes=tuple(
            Axis(axis.code, words.axes[axis.code], tuple((v, words.values.get(v, v)) for v in axis.values))
            for axis in entry.axes
        ),
        variants=variants,
        size_guide=entry.size_guide,
        related=tuple(entry.related),
        upsell=tuple(entry.upsell),
        crosssell=tuple(entry.crosssell),
    )


def _attributes(told: list[list[str]], words: Words) -> tuple[Attribute, ...]:
    """The attributes with the names of the products they speak of; an id that no product has is an error."""
    names = {product_id: text.name for product_id, text in words.products.items()}
    return tuple(
        Attribute(code, words.attributes[code], value.format_map(names), unit[0] if unit else "")
        for code, value, *unit in told
    )


def _variant_attributes(text: ProductWords, part: str, words: Words) -> tuple[Attribute, ...]:
    """What is said of the product, except where its own words say it otherwise."""
    own = text.own.get(part, [])
    replaced = {attribute[0] for attribute in own}
    return _attributes([*own, *(told for told in text.attributes if told[0] not in replaced)], words)


def _variants(entry: ProductEntry, words: Words, catalogue: str, currency: str) -> tuple[Variant, ...]:
    found = []
    for values in combinations(*(axis.values for axis in entry.axes)):
        choices = tuple(
            Choice(axis.code, words.axes[axis.code], value, words.values.get(value, value))
            for axis, value in zip(entry.axes, values, strict=True)
        )
        part = "-".join(value.lower() for value in values)
        colour = next((choice.value for choice in choices if choice.code == "colour"), entry.colour)
        text = words.products[entry.id]
        found.append(
            Variant(
                id=f"{entry.id}-{part}" if part else entry.id,
                product_id=entry.id,
                name=", ".join([text.name, *(choice.value_name for choice in choices)]),
                choices=choices,
                price=entry.price_of.get(part, entry.price)[currency],
                stock=entry.stock_of.get(part, entry.stock),
                picture=f"{catalogue}-{entry.id}-{colour}",
                attributes=_variant_attributes(text, part, words),
                measure=Measure(entry.sold_by, entry.pack),
            )
        )
    return tuple(found)


def _policy(entry: PolicyEntry, words: Words, currency: str, language: str) -> Policy:
    title, text = words.policies[entry.key]
    shown = {fact.slot: _shown(fact, currency, language) for fact in entry.facts}
    facts = tuple(
        Fact(
            name=fact.name,
            amount=fact.money[currency] if fact.money else fact.count or 0,
            currency=currency if fact.money else None,
            condition=words.conditions[fact.condition] if fact.condition else None,
        )
        for fact in entry.facts
    )
    return Policy(entry.key, entry.kind, title, text.format(**shown), facts)


def _shown(fact: FactEntry, currency: str, language: str) -> str:
    return format_price(fact.money[currency], currency, language) if fact.money else str(fact.count)


def _size_guides(numbers: Numbers, words: Words) -> dict[str, SizeGuide]:
    return {
        key: SizeGuide(
            key=key,
            title=words.size_guides[key],
            advice=words.size_advice[key],
            columns=tuple(words.columns[column] for column in ["size", *guide.columns]),
            rows=tuple(tuple(row) for row in guide.rows),
        )
        for key, guide in numbers.size_guides.items()
    }
