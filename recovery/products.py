"""Takes products and policies in: the only writer of both."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from tortoise.expressions import F

from recovery.models import Policy, Product, ProductLink, Store
from recovery.stores.snapshots import PolicySnapshot, ProductSnapshot, is_newer

#: What a search looks at: where one of these changes, an index over the store's products is stale.
_SEARCHED = (
    "active", "parent_id", "name", "description", "short_description", "attributes", "categories", "brand",
)  # fmt: skip


async def take_products(store: Store, products: list[ProductSnapshot]) -> int:
    """Apply product snapshots of one store inside the caller's transaction; how many were not older."""
    known = {
        row.product_id: row
        for row in await Product.filter(
            store_id=store.id, product_id__in=sorted(p.product_id for p in products)
        ).select_for_update()
    }
    applied, searched = 0, False
    for product in sorted(products, key=lambda p: p.product_id):
        row = known.get(product.product_id)
        if row and not is_newer(product.version, product.occurred_at, row.version, row.occurred_at):
            continue
        values = _columns(product)
        if product.version is None and row is not None:
            values["version"] = row.version
        searched = searched or row is None or any(getattr(row, name) != values[name] for name in _SEARCHED)
        await Product.update_or_create(defaults=values, store_id=store.id, product_id=product.product_id)
        if product.links is not None:
            await _write_links(store, product)
        applied += 1
    if searched:
        # Last, so that the row all hooks of a store meet in is locked for as short as can be.
        await Store.filter(id=store.id).update(catalogue_version=F("catalogue_version") + 1)
    return applied


async def take_policies(store: Store, policies: list[PolicySnapshot]) -> int:
    """Apply policy snapshots of one store inside the caller's transaction; how many were not older.

    An empty text removes a policy; its row stays without text, so that an older snapshot arriving late stays late.
    """
    applied = 0
    for policy in policies:
        found = Policy.filter(store_id=store.id, key=policy.key, locale=policy.locale)
        row = await found.select_for_update().get_or_none()
        if row and not is_newer(policy.version, policy.occurred_at, row.version, row.occurred_at):
            continue
        applied += 1
        values = asdict(policy) | {"facts": list(policy.facts)}
        del values["key"], values["locale"]
        await Policy.update_or_create(defaults=values, store_id=store.id, key=policy.key, locale=policy.locale)
    return applied


async def withdraw(store: Store, products: dict[str, bool], now: datetime) -> int:
    """Nobody can buy these now, so no price is told; id → whether it is switched off. How many changed."""
    changed = 0
    for off in (False, True):
        ids = sorted(number for number, is_off in products.items() if is_off is off)
        if ids:
            known = Product.filter(store_id=store.id, product_id__in=ids)
            changed += await known.update(in_stock=False, active=not off, occurred_at=now)
    return changed


async def retire(store: Store, not_told_since: datetime) -> int:
    """Switch off what a complete reading that began then did not tell of; how many."""
    return await Product.filter(store_id=store.id, occurred_at__lt=not_told_since, active=True).update(active=False)


def _columns(product: ProductSnapshot) -> dict[str, Any]:
    values = asdict(product)
    del values["links"], values["product_id"]
    return values | {"attributes": list(product.attributes), "categories": list(product.categories)}


async def _write_links(store: Store, product: ProductSnapshot) -> None:
    await ProductLink.filter(store_id=store.id, product_id=product.product_id).delete()
    await ProductLink.bulk_create(
        ProductLink(store_id=store.id, product_id=product.product_id, kind=kind, linked_id=linked, position=position)
        for kind, linked_ids in (product.links or {}).items()
        for position, linked in enumerate(dict.fromkeys(linked_ids))
    )
