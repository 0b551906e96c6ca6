"""Scoring by the built-in rules: 10,000 abandonments, against reading the same rows and updating them in bulk."""

import time
from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from recovery import detection, scoring
from tests.bench.carts import fill, settle
from tests.bench.place import Place
from tests.bench.ratios import Costs, Figure, in_pairs
from tests.shop import Shop, open_shop

MOST = 3.0
_UNSCORED = """
UPDATE abandonment SET status = 'detected', score = NULL, reason_code = NULL, contributions = '[]', scored_at = NULL,
                       scored_by = NULL, heuristic_score = NULL, heuristic_reason = NULL, due_at = NULL
"""
_PERSONS = """
SELECT p.email_hash, (SELECT count(*) FROM "order" o WHERE o.connection_id = $1 AND o.email_hash = p.email_hash)
  FROM unnest($2::text[]) p(email_hash)
"""
_MEDIAN = "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM abandonment WHERE store_id = $1"
_SCORED = """
UPDATE abandonment a
   SET score = v.score, heuristic_score = v.score, reason_code = 'other', heuristic_reason = 'other',
       contributions = v.parts, scored_at = $2, scored_by = 'heuristic', status = 'scored', due_at = $3
  FROM unnest($1::bigint[], $4::float8[], $5::jsonb[]) v(id, score, parts) WHERE a.id = v.id
"""


async def unscore(raw: Any) -> None:
    """As just detected."""
    await raw.execute(_UNSCORED)
    await settle(raw, "abandonment")


async def scored(shop: Shop, raw: Any, count: int) -> Costs:
    """One sweep that takes them all."""
    await unscore(raw)
    store = await shop.in_force()
    started = time.perf_counter()
    found = await scoring.sweep(store, shop.now, count)
    took = time.perf_counter() - started
    assert found == count, found
    return {"sweep": took}


async def read_and_written(shop: Shop, raw: Any, count: int) -> Costs:
    """The same rows read, and as many columns written in one statement, with nothing computed between."""
    await unscore(raw)
    started = time.perf_counter()
    async with raw.transaction():
        taken = "SELECT * FROM abandonment WHERE store_id = $1 AND status = 'detected' LIMIT $2 FOR UPDATE"
        found = await raw.fetch(taken, shop.store.id, count)
        carts = [row["cart_id"] for row in found]
        await raw.fetch("SELECT * FROM cart WHERE id = ANY($1)", carts)
        items = await raw.fetch("SELECT * FROM cart_item WHERE cart_id = ANY($1)", carts)
        products = list({row["product_id"] for row in items})
        gone = "SELECT product_id FROM product WHERE store_id = $1 AND product_id = ANY($2) AND NOT in_stock"
        await raw.fetch(gone, shop.store.id, products)
        await raw.fetch(_PERSONS, shop.connection.id, list({row["email_hash"] for row in found}))
        await raw.fetch(_MEDIAN, shop.store.id)
        parts = orjson.dumps([{"signal": f"signal_{n}", "seen": 1, "points": 0.1} for n in range(6)]).decode()
        ids = [row["id"] for row in found]
        due = shop.now + timedelta(hours=4)
        await raw.execute(_SCORED, ids, shop.now, due, [0.5] * len(ids), [parts] * len(ids))
    took = time.perf_counter() - started
    assert len(found) == count, len(found)
    return {"sweep": took}


async def run(place: Place) -> list[Figure]:
    """The case."""
    count = place.size(10_000, 50)
    with place.settings() as settings:
        raw = await asyncpg.connect(settings.database_url)
        async with open_shop(settings) as shop:
            await fill(raw, shop, shop.store.id, count, count)
            await settle(raw, "cart", "cart_item")
            await detection.sweep(await shop.in_force(), shop.runtime.keys, shop.now, count)
            found = await in_pairs(lambda: scored(shop, raw, count), lambda: read_and_written(shop, raw, count))
        await raw.close()
    return [Figure("score", f"{count:,} by the built-in rules", "s", found["sweep"], MOST)]
