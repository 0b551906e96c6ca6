"""Reads what a store sells and promises from the rows, as the plain values of ``recovery.goods``."""

from collections.abc import Mapping, Sequence

from recovery.goods import Item, Line, PolicyText
from recovery.models import CartItem, Policy, Product


def item_of(product: Product, title: str = "") -> Item:
    """A product or variant; ``title`` is the name of the product that a variant belongs to."""
    return Item(
        id=product.product_id,
        name=product.name,
        price=product.price,
        currency=product.currency,
        digits=product.currency_digits,
        in_stock=product.in_stock,
        parent_id=product.parent_id,
        title=title,
        description=product.description,
        short_description=product.short_description,
        attributes=tuple(
            (str(entry["name"]), f"{entry['value']} {entry.get('unit') or ''}".strip()) for entry in product.attributes
        ),
        categories=tuple(product.categories),
        stock_quantity=product.stock_quantity,
        sold_by=product.sold_by,
        url=product.url,
        image_url=product.image_url,
        pack=product.quantity_step or product.min_quantity,
    )


async def read_policies(store_id: int, language: str) -> tuple[PolicyText, ...]:
    """A store's policies in its language, or in any where it has none in that one."""
    rows = await Policy.filter(store_id=store_id).exclude(text="").order_by("id")
    spoken = [row for row in rows if _language(row.locale) == _language(language)]
    return tuple(PolicyText(row.kind, row.title, row.text, row.url, tuple(row.facts)) for row in spoken or rows)


async def read_lines(store_id: int, items: Sequence[CartItem]) -> tuple[Line, ...]:
    """The lines of a cart as the shop told them, each with the product that the store sells now."""
    ids = {item.product_id for item in items} | {item.parent_id for item in items if item.parent_id}
    known = {row.product_id: row for row in await Product.filter(store_id=store_id, product_id__in=ids)}
    return tuple(_line(item, known) for item in items)


def _line(item: CartItem, known: Mapping[str, Product]) -> Line:
    product = known.get(item.product_id) or known.get(item.parent_id or "")
    withdrawn = product is not None and not product.active
    parent = known.get(product.parent_id or "") if product is not None else None
    sold = item_of(product, parent.name if parent else "") if product is not None and product.active else None
    options = tuple((option["name"], option["value"]) for option in item.options)
    return Line(item.name, item.quantity, item.row_total, item.product_id, sold, options, item.unit_price, withdrawn)


def _language(tag: str) -> str:
    return tag.partition("-")[0].lower()
