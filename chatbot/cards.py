"""Products as the page shows them beside an answer: made from their rows, never from text."""

from typing import Any

from chatbot.context import Item, Knowledge
from recovery.money import unit_name


def card(item: Item, why: str, known: Knowledge) -> dict[str, Any]:
    """A product as the page shows it; ``instead_of`` is the cart line that it could be taken instead of."""
    return {
        "id": item.id,
        "name": item.name,
        "price": known.money(item.price, item.currency, item.digits) + _unit(item),
        "image": item.image_url,
        "url": item.url,
        "why": why,
        "in_stock": item.in_stock,
        "instead_of": _instead_of(item, known),
    }


def _unit(item: Item) -> str:
    """What the price is for, where that is not a piece."""
    return "" if item.sold_by == "piece" else f" / {unit_name(item.sold_by)}"


def _instead_of(item: Item, known: Knowledge) -> str | None:
    """The cart's variant of the same product, where this is another that can be bought."""
    if item.parent_id is None or not item.in_stock or any(line.product_id == item.id for line in known.lines):
        return None
    family = (line for line in known.lines if line.item is not None and line.item.family == item.family)
    return next((line.product_id for line in family), None)
