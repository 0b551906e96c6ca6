"""Gives every detected abandonment its intent score and reason code."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from recovery import db
from recovery.heuristic import CartFacts, score
from recovery.models import Abandonment, CartItem, Product
from recovery.stores.registry import StoreInForce

CARTS_FOR_A_MEDIAN = 30
MEDIAN_WINDOW = timedelta(days=90)

_MEDIAN = """
SELECT count(*) AS carts, percentile_cont(0.5) WITHIN GROUP (ORDER BY total) AS median
  FROM abandonment WHERE store_id = $1 AND currency = $2 AND detected_at > $3
"""
_PERSONS = """
SELECT p.email_hash,
       (SELECT count(*) FROM "order" o
         WHERE o.connection_id = $1 AND o.email_hash = p.email_hash AND o.state <> 'cancelled') AS orders,
       (SELECT count(*) FROM abandonment a
         WHERE a.connection_id = $1 AND a.email_hash = p.email_hash
           AND a.open_key IS NULL AND a.recovered_at IS NULL
           AND a.status <> 'superseded') AS abandonments
  FROM unnest($2::text[]) AS p(email_hash)
"""


async def sweep(store: StoreInForce, now: datetime, limit: int | None = None) -> int:
    """Score what one store's detection found, at most ``limit`` (the batch size); how many."""
    if not store.settings.enabled or store.row.mode == "paused":
        return 0
    async with db.in_transaction():
        found = (
            await Abandonment.filter(store_id=store.row.id, status="detected")
            .order_by("detected_at")
            .limit(limit or store.settings.batch_size)
            .select_for_update(skip_locked=True)
        )
        if not found:
            return 0
        for abandonment, facts in zip(found, await gather(store, found, now), strict=True):
            result = score(facts)
            abandonment.score, abandonment.reason_code = result.value, result.reason_code
            abandonment.contributions = result.contributions
            abandonment.scored_at, abandonment.scored_by = now, "heuristic"
            abandonment.status = "scored"
            abandonment.due_at = abandonment.detected_at + timedelta(minutes=store.settings.steps[0].delay_minutes)
        await Abandonment.bulk_update(
            found,
            fields=["score", "reason_code", "contributions", "scored_at", "scored_by", "status", "due_at"],
        )
    return len(found)


async def count_unscored(store: StoreInForce, limit: int | None = None) -> int:
    """How many abandonments ``sweep`` would score now."""
    waiting = await Abandonment.filter(store_id=store.row.id, status="detected").count()
    return min(waiting, limit or store.settings.batch_size)


async def gather(store: StoreInForce, found: Sequence[Abandonment], now: datetime) -> list[CartFacts]:
    """The facts of several abandonments of one store, in a fixed number of queries."""
    await Abandonment.fetch_for_list(list(found), "cart")
    items = await CartItem.filter(cart_id__in=[a.cart_id for a in found])
    by_cart: dict[int, list[CartItem]] = {}
    for item in items:
        by_cart.setdefault(item.cart_id, []).append(item)
    gone = set(
        await Product.filter(
            store_id=store.row.id, product_id__in=list({i.product_id for i in items}), in_stock=False
        ).values_list("product_id", flat=True)
    )
    persons = await _persons(store.row.connection_id, [a.email_hash for a in found if a.email_hash])
    median = await _median(store, now)
    return [_facts(store, a, by_cart.get(a.cart_id, []), gone, persons, median) for a in found]


def _facts(
    store: StoreInForce,
    abandonment: Abandonment,
    items: list[CartItem],
    gone: set[Any],
    persons: dict[str, tuple[int, int]],
    median: int | None,
) -> CartFacts:
    cart = abandonment.cart
    orders, abandonments = persons.get(abandonment.email_hash or "", (0, 0))
    parents = [item.parent_id for item in items if item.parent_id]
    return CartFacts(
        total=cart.total,
        stage=cart.checkout_stage,
        products=len(items),
        hour=cart.activity_at.astimezone(store.zone).hour,
        median_total=median if cart.currency == store.row.currency else None,
        registered=cart.registered,
        past_orders=max(orders, cart.orders_count or 0),
        earlier_abandonments=abandonments,
        coupon_tried=bool(cart.coupon_codes),
        discount=cart.discount or 0,
        shipping=cart.shipping,
        out_of_stock=sum(item.product_id in gone for item in items),
        same_parent=len(set(parents)) < len(parents),
        payment_failed=cart.payment_failed,
        stated_reason=(cart.intent_trace or {}).get("reason_code"),
    )


async def _persons(connection_id: int, email_hashes: list[str]) -> dict[str, tuple[int, int]]:
    rows = await db.client().execute_query_dict(_PERSONS, [connection_id, sorted(set(email_hashes))])
    return {row["email_hash"]: (row["orders"], row["abandonments"]) for row in rows}


async def _median(store: StoreInForce, now: datetime) -> int | None:
    parameters = [store.row.id, store.row.currency, now - MEDIAN_WINDOW]
    (row,) = await db.client().execute_query_dict(_MEDIAN, parameters)
    return round(row["median"]) if row["carts"] >= CARTS_FOR_A_MEDIAN else None
