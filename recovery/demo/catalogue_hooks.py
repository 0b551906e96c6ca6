"""The data of product.updated and policy.updated for a whole catalogue, in batches."""

from collections.abc import Callable, Iterable, Iterator

from recovery.demo.cart_hooks import Addresses, number
from recovery.demo.catalogue.model import Attribute, Catalogue, Product, SizeGuide, Variant

# A hook may carry 100 products and 256 KiB; half as many keeps long descriptions well inside.
_PRODUCTS_PER_HOOK = 50
_POLICIES_PER_HOOK = 20
# Policies that are a page section rather than a place of their own share the help page.
_HELP_PAGE = "help"


def product_batches(
    catalogue: Catalogue, at: Addresses, stock: Callable[[Variant], int]
) -> Iterator[list[dict[str, object]]]:
    """Every product and variant, parents first."""
    entries: list[dict[str, object]] = []
    for product in catalogue.products.values():
        entries.append(product_entry(product, catalogue, at, stock))
        if product.axes:
            entries.extend(variant_entry(variant, product, catalogue, at, stock) for variant in product.variants)
    for start in range(0, len(entries), _PRODUCTS_PER_HOOK):
        yield entries[start : start + _PRODUCTS_PER_HOOK]


def product_entry(
    product: Product, catalogue: Catalogue, at: Addresses, stock: Callable[[Variant], int]
) -> dict[str, object]:
    """A product as the shopper sees it; its stock is what all its variants have together."""
    pieces = sum(stock(variant) for variant in product.variants)
    return {
        "product_id": product.id,
        "sku": product.id.upper(),
        "name": product.name,
        "price": product.price,
        "regular_price": product.price,
        "in_stock": pieces > 0,
        "stock_quantity": number(product.measure.amount(pieces)),
        "url": at.page(f"product/{product.id}"),
        "image_url": at.picture(product.picture),
        **_common(product, catalogue),
        "attributes": [_attribute(attribute) for attribute in product.attributes],
    }


def variant_entry(
    variant: Variant, product: Product, catalogue: Catalogue, at: Addresses, stock: Callable[[Variant], int]
) -> dict[str, object]:
    """One of the product's choices; it carries the parent's texts so that it can be answered about alone."""
    pieces = stock(variant)
    chosen = [{"code": choice.code, "name": choice.name, "value": choice.value_name} for choice in variant.choices]
    return {
        "product_id": variant.id,
        "parent_id": product.id,
        "sku": variant.id.upper(),
        "name": variant.name,
        "price": variant.price,
        "regular_price": variant.price,
        "in_stock": pieces > 0,
        "stock_quantity": number(product.measure.amount(pieces)),
        "url": at.product(variant),
        "image_url": at.picture(variant.picture),
        **_common(product, catalogue),
        "attributes": [*chosen, *(_attribute(attribute) for attribute in variant.attributes)],
    }


def stock_entries(
    touched: Iterable[str], catalogue: Catalogue, at: Addresses, stock: Callable[[Variant], int]
) -> Iterator[dict[str, object]]:
    """These variants, with their products before them, as they are now."""
    variants = [catalogue.variants[variant_id] for variant_id in sorted(touched) if variant_id in catalogue.variants]
    for product_id in sorted({variant.product_id for variant in variants}):
        yield product_entry(catalogue.products[product_id], catalogue, at, stock)
    for variant in variants:
        if variant.id != variant.product_id:
            yield variant_entry(variant, catalogue.products[variant.product_id], catalogue, at, stock)


def policy_batches(catalogue: Catalogue, at: Addresses) -> Iterator[list[dict[str, object]]]:
    """Every policy and size guide."""
    entries = [_policy_entry(catalogue, at, index) for index in range(len(catalogue.policies))]
    entries.extend(_size_guide_entry(guide, catalogue, at) for guide in catalogue.size_guides.values())
    for start in range(0, len(entries), _POLICIES_PER_HOOK):
        yield entries[start : start + _POLICIES_PER_HOOK]


def _common(product: Product, catalogue: Catalogue) -> dict[str, object]:
    return {
        "active": True,
        "short_description": product.summary,
        "description": "\n\n".join(product.description),
        "categories": [catalogue.category_name(product.category)],
        "brand": product.brand,
        "currency": catalogue.currency,
        "tax_included": True,
        "sold_by": product.measure.sold_by,
        "min_quantity": number(product.measure.pack),
        "quantity_step": number(product.measure.pack),
        "locale": catalogue.language,
        "links": {
            "related": list(product.related),
            "upsell": list(product.upsell),
            "crosssell": list(product.crosssell),
        },
    }


def _attribute(attribute: Attribute) -> dict[str, object]:
    entry: dict[str, object] = {"code": attribute.code, "name": attribute.name, "value": attribute.value}
    if attribute.unit:
        entry["unit"] = attribute.unit
    return entry


def _policy_entry(catalogue: Catalogue, at: Addresses, index: int) -> dict[str, object]:
    policy = catalogue.policies[index]
    facts = []
    for fact in policy.facts:
        entry: dict[str, object] = {"name": fact.name, "amount": fact.amount}
        if fact.currency:
            entry["currency"] = fact.currency
        if fact.condition:
            entry["condition"] = fact.condition
        facts.append(entry)
    return {
        "key": policy.key,
        "kind": policy.kind,
        "locale": catalogue.language,
        "title": policy.title,
        "text": policy.text,
        "url": at.page(f"{_HELP_PAGE}#{policy.key}"),
        "facts": facts,
    }


def _size_guide_entry(guide: SizeGuide, catalogue: Catalogue, at: Addresses) -> dict[str, object]:
    rows = [
        ", ".join([row[0], *(f"{column} {cell} cm" for column, cell in zip(guide.columns[1:], row[1:], strict=True))])
        for row in guide.rows
    ]
    worn = [product.name for product in catalogue.products.values() if product.size_guide == guide.key]
    return {
        "key": f"size_guide_{guide.key}",
        "kind": "size_guide",
        "locale": catalogue.language,
        "title": guide.title,
        "text": "\n".join([*rows, guide.advice, ", ".join(worn)]),
        "url": at.page(f"{_HELP_PAGE}#size_guide_{guide.key}"),
        "facts": [],
    }
