"""Detection: 10,000 carts due among 100,000, against the one statement that would do the same."""

import time
from typing import Any

import asyncpg

from recovery import detection
from recovery.stores import registry
from recovery.stores.registry import StoreInForce
from tests.bench.carts import fill, settle
from tests.bench.place import Place
from tests.bench.ratios import Costs, Figure, in_pairs
from tests.shop import Shop, open_shop

MOST = 1.5
#: How much more the same sweep may take with ten times the carts around it.
FLAT = 1.5

_ONE_STATEMENT = """
INSERT INTO abandonment (connection_id, store_id, cart_id, open_key, status, detected_at, email_hash, arm,
                         holdout_percent, fingerprint, total, currency, currency_digits, contributions)
SELECT c.connection_id, c.store_id, c.id, c.id, 'detected', $4, c.email_hash,
       CASE WHEN ('x' || left(md5(c.email_hash), 8))::bit(32)::bigint % 100 < $5 THEN 'holdout' ELSE 'treatment' END,
       $5, c.fingerprint, c.total, c.currency, c.currency_digits, '[]'
  FROM cart c
 WHERE c.store_id = $1 AND c.status = 'active' AND c.email_hash IS NOT NULL
   AND c.activity_at <= $2 AND c.activity_at > $3
   AND EXISTS (SELECT FROM cart_item i WHERE i.cart_id = c.id)
   AND NOT EXISTS (SELECT FROM "order" o
                    WHERE o.connection_id = c.connection_id AND o.quote_id = c.quote_id AND o.state <> 'cancelled')
   AND NOT EXISTS (SELECT FROM abandonment a
                    WHERE a.cart_id = c.id
                      AND (a.open_key IS NOT NULL OR a.fingerprint = c.fingerprint AND a.detected_at >= c.activity_at))
"""


async def swept(shop: Shop, raw: Any, store: StoreInForce, due: int) -> Costs:
    """One sweep that takes all that is due; the abandonments are forgotten before it."""
    await raw.execute("TRUNCATE abandonment CASCADE")
    started = time.perf_counter()
    found = await detection.sweep(store, shop.runtime.keys, shop.now, due)
    took = time.perf_counter() - started
    assert found == due, found
    return {"sweep": took}


async def stated(shop: Shop, raw: Any, store: StoreInForce, due: int) -> Costs:
    """The one statement."""
    await raw.execute("TRUNCATE abandonment CASCADE")
    until, since = detection._window(store, shop.now, shop.now, None)[1:3]
    holdout = store.settings.holdout_percent
    started = time.perf_counter()
    done = await raw.execute(_ONE_STATEMENT, store.row.id, until, since, shop.now, holdout)
    took = time.perf_counter() - started
    assert done == f"INSERT 0 {due}", done
    return {"sweep": took}


async def run(place: Place) -> list[Figure]:
    """The case."""
    total, due = place.size(100_000, 200), place.size(10_000, 20)
    with place.settings() as settings:
        raw = await asyncpg.connect(settings.database_url)
        async with open_shop(settings) as shop:
            small = await registry.add_store(
                shop.connection, "small", "Small", language="en", currency="EUR", timezone="Europe/Warsaw"
            )
            await fill(raw, shop, shop.store.id, total, due)
            await fill(raw, shop, small.id, due, due, "s")
            await settle(raw, "cart", "cart_item", "store", '"order"')
            many, few = await shop.in_force(), await registry.in_force(small)
            found = await in_pairs(lambda: swept(shop, raw, many, due), lambda: stated(shop, raw, many, due))
            flat = await in_pairs(lambda: swept(shop, raw, many, due), lambda: swept(shop, raw, few, due))
        await raw.close()
    return [
        Figure("detect", f"{due:,} due among {total:,} carts", "s", found["sweep"], MOST),
        Figure("detect", f"the same among {total:,} against {due:,}", "s", flat["sweep"], FLAT),
    ]
