"""Takes the catalogue of each store view in: all of it once a day, what changed in between, and what carts need now."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from recovery import db, products
from recovery.models import Product
from recovery.stores.base import Page, ProductRef, ShopFront
from recovery.stores.reading import Reading
from recovery.stores.registry import StoreInForce
from recovery.sync_orders import OVERLAP
from recovery.sync_round import Round

CHANGES_EVERY = timedelta(minutes=15)
#: Price rules and stock move no product's time, so that only reading everything shows them.
EVERYTHING_EVERY = timedelta(hours=24)


async def read(run: Round) -> None:
    """What is due of the catalogue of each store view; goes on where the last round stopped."""
    for external_id, store in run.stores.items():
        if run.is_over:
            return
        await _read_front(run, store, run.fronts[external_id])


async def _read_front(run: Round, store: StoreInForce, front: ShopFront) -> None:
    cursor: dict[str, Any] = dict(run.state.catalogue.get(front.external_id, {}))
    now = run.now()
    if "started" not in cursor:
        whole = is_due(cursor.get("whole_at"), EVERYTHING_EVERY, now)
        if not whole and not is_due(cursor.get("read_at"), CHANGES_EVERY, now):
            return
        cursor |= {"started": now.isoformat(), "after": 0, "whole": whole}
    since = None if cursor["whole"] else datetime.fromisoformat(cursor["read_at"]) - OVERLAP
    after: int | None = cursor["after"]
    while after is not None and not run.is_over:
        page = await run.connector.products(front, since, after)
        await take(run, store, page)
        run.count("products_unreadable", len(page.skipped))
        after = page.last
        cursor["after"] = after or 0
        if after is None:
            await _complete(store, cursor)
        run.state.catalogue = run.state.catalogue | {front.external_id: cursor}
        await run.save("catalogue")


def is_due(last: str | None, period: timedelta, now: datetime) -> bool:
    """Whether what was last done then, if ever, is to be done again."""
    return last is None or now - datetime.fromisoformat(last) >= period


async def _complete(store: StoreInForce, cursor: dict[str, Any]) -> None:
    cursor["read_at"] = cursor["started"]
    if cursor["whole"]:
        cursor["whole_at"] = cursor["started"]
        async with db.in_transaction():
            await products.retire(store.row, datetime.fromisoformat(cursor["started"]))
    for name in ("started", "whole", "after"):
        del cursor[name]


async def take(run: Round, store: StoreInForce, page: Page) -> None:
    """Apply a page of products in one transaction; links that lead elsewhere than to the shop are dropped."""
    reading = Reading(frozenset(run.connection.hosts), run.now(), run.now())
    told = [
        replace(p, url=reading.url(p.url, "url"), image_url=reading.url(p.image_url, "image_url"))
        for p in page.products
    ]
    run.count("links_dropped", len(reading.warnings))
    async with db.in_transaction():
        run.count("products", await products.take_products(store.row, told))
        await products.withdraw(store.row, page.unpriced, run.now())


async def refs(run: Round, store: StoreInForce, front: ShopFront, skus: set[str]) -> dict[str, ProductRef]:
    """Which product each SKU of a cart is; what is not known yet is asked for and taken in."""
    wanted = {sku for sku in skus if sku}
    found = await _known(store, wanted)
    missing = sorted(sku for sku in wanted if sku.lower() not in found)
    if missing:
        page = await run.connector.products_by_sku(front, missing)
        await take(run, store, page)
        # Of what nobody can buy now, only the number is known.
        found = {sku: ProductRef(*ids) for sku, ids in page.ids.items()} | found | await _known(store, set(missing))
    return found


async def _known(store: StoreInForce, skus: set[str]) -> dict[str, ProductRef]:
    rows = await Product.filter(store_id=store.row.id, sku__in=sorted(skus))
    return {
        row.sku.lower(): ProductRef(row.product_id, row.parent_id, row.url, row.image_url) for row in rows if row.sku
    }
