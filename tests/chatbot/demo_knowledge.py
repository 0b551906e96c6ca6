"""What the assistant knows of a cart in the outdoor demo shop, with room for planted text."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from chatbot.context import Item, Knowledge, Line, Link, PolicyText
from recovery.demo.catalogue.loading import load_catalogue
from recovery.demo.catalogue.model import Catalogue, Variant

#: In the cart: one rain jacket and two pairs of socks.
CART = (("hala-moss-m", 1), ("socks-39-41", 2))


def demo_knowledge(language: str, planted: Mapping[str, str] | None = None) -> Knowledge:
    """The cart and the whole shop beside it; ``planted`` text stands where an attacker put it (see injections)."""
    planted = planted or {}
    shop = _shop(language)
    items = {variant.id: _item(shop, variant, planted) for variant in shop.variants.values()}
    lines = tuple(_line(items[variant], count) for variant, count in CART)
    policies = [
        PolicyText(
            policy.kind,
            policy.title,
            f"{policy.text} {planted.get('policy', '')}".strip(),
            facts=tuple(
                {
                    "name": fact.name,
                    "amount": fact.amount,
                    **({"currency": fact.currency} if fact.currency else {}),
                    **({"condition": fact.condition} if fact.condition else {}),
                }
                for fact in policy.facts
            ),
        )
        for policy in shop.policies
    ]
    carted = {"hala", "socks"}
    return Knowledge(
        language=language,
        shop=shop.name,
        currency=shop.currency,
        digits=2,
        total=sum(line.row_total or 0 for line in lines),
        lines=lines,
        siblings=tuple(item for item in items.values() if item.family in carted),
        links=tuple(Link("hala", "related", item) for item in items.values() if item.family not in carted),
        policies=tuple(policies),
    )


@lru_cache
def _shop(language: str) -> Catalogue:
    return load_catalogue("outdoor", language, "EUR" if language == "en" else "PLN")


def _line(item: Item, count: int) -> Line:
    return Line(item.name, count * 10_000, item.price * count, item.id, item)


def _item(shop: Catalogue, variant: Variant, planted: Mapping[str, str]) -> Item:
    product = shop.products[variant.product_id]
    item = Item(
        id=variant.id,
        name=variant.name,
        price=variant.price,
        currency=shop.currency,
        digits=2,
        in_stock=variant.stock > 0,
        parent_id=product.id if product.axes else None,
        title=product.name,
        description="\n\n".join(product.description),
        short_description=product.summary,
        attributes=(
            *((choice.name, choice.value_name) for choice in variant.choices),
            *((one.name, f"{one.value} {one.unit}".strip()) for one in product.attributes),
        ),
        categories=(product.category,),
        stock_quantity=variant.stock * 10_000,
    )
    if product.id != "hala":
        return item
    return replace(
        item,
        name=f"{item.name} {planted.get('product_name', '')}".strip(),
        description=f"{item.description} {planted.get('description', '')}".strip(),
        attributes=(*item.attributes, *((("Note", planted["attribute"]),) if "attribute" in planted else ())),
    )
