"""Gives every detected abandonment its intent score and reason code: the built-in ones, and a model's beside them.

A model is asked outside any transaction. Whoever asks holds the rows by a lease, and writes each as soon as its answer
is there, if it is still to be scored; whatever befalls the model, the built-in score counts and the cause is kept.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from recovery import db
from recovery.heuristic import CartFacts, score
from recovery.llm_batch import Answer, Window, has_model
from recovery.models import Abandonment, CartItem, Product
from recovery.scoring_model import Judgement, judge
from recovery.stores.registry import StoreInForce

CARTS_FOR_A_MEDIAN = 30
MEDIAN_WINDOW = timedelta(days=90)
#: How long one run may wait for a store's model, all its carts together.
MODEL_SECONDS = 45
LEASE_SECONDS = 120
_SCORED = [
    "score", "reason_code", "contributions", "scored_at", "scored_by", "status", "due_at", "heuristic_score",
    "heuristic_reason", "model_score", "model_reason", "model_rationale", "score_model", "score_tokens", "score_cause",
    "score_detail", "scoring_until",
]  # fmt: skip

# One parameter for a batch of any size: the ORM's bulk update takes two for each value, of which there may be 32,767.
_WRITE = f"""
UPDATE abandonment a SET {", ".join(f"{name} = v.{name}" for name in _SCORED)}
  FROM jsonb_populate_recordset(NULL::abandonment, $1::jsonb) v
 WHERE a.id = v.id
"""  # noqa: S608

_HOLD = """
UPDATE abandonment SET scoring_until = now() + make_interval(secs => $1)
 WHERE id IN (SELECT id FROM abandonment
               WHERE store_id = $2 AND status = 'detected' AND (scoring_until IS NULL OR scoring_until < now())
               ORDER BY detected_at LIMIT $3 FOR UPDATE SKIP LOCKED)
RETURNING id
"""

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


async def sweep(store: StoreInForce, now: datetime, limit: int | None = None, window: Window | None = None) -> int:
    """Score what one store's detection found, at most ``limit`` (the batch size); how many.

    With a ``window`` the store's model is asked too, if it has one that is to score.
    """
    if not store.settings.enabled or store.row.mode == "paused":
        return 0
    most = limit or store.settings.batch_size
    if window is not None and has_model(store) and store.settings.ai_scoring != "off":
        return await _with_model(store, window, now, most)
    async with db.in_transaction():
        found = (
            await Abandonment.filter(store_id=store.row.id, status="detected")
            .order_by("detected_at")
            .limit(most)
            .select_for_update(skip_locked=True)
        )
        if not found:
            return 0
        for abandonment, facts in zip(found, await gather(store, found, now), strict=True):
            _note(store, abandonment, facts, None, now)
        told = [{name: getattr(row, name) for name in ("id", *_SCORED)} for row in found]
        await db.client().execute_query(_WRITE, [orjson.dumps(told).decode()])
    return len(found)


async def _with_model(store: StoreInForce, window: Window, now: datetime, most: int) -> int:
    rows = await db.client().execute_query_dict(_HOLD, [LEASE_SECONDS, store.row.id, most])
    if not rows:
        return 0
    held = await Abandonment.filter(id__in=[row["id"] for row in rows]).order_by("detected_at")

    async def one(abandonment: Abandonment, facts: CartFacts) -> int:
        return await _write(store, abandonment.id, facts, await judge(store, window, abandonment, facts), now)

    facts = await gather(store, held, now)
    # Every row is written when its own answer is there, whatever happens to another.
    ends = await asyncio.gather(*map(one, held, facts), return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException):
            raise end
    return sum(end for end in ends if isinstance(end, int))


async def _write(
    store: StoreInForce, abandonment_id: int, facts: CartFacts, answer: Answer[Judgement], now: datetime
) -> int:
    """Score one abandonment, unless something has become of it meanwhile."""
    async with db.in_transaction():
        row = await Abandonment.filter(id=abandonment_id, status="detected").select_for_update().first()
        if row is None:
            return 0
        _note(store, row, facts, answer, now)
        await row.save(update_fields=_SCORED)
    return 1


def _note(
    store: StoreInForce, row: Abandonment, facts: CartFacts, answer: Answer[Judgement] | None, now: datetime
) -> None:
    """Put both judgements on the row, and the one that counts where the checks look."""
    built_in = score(facts)
    row.heuristic_score, row.heuristic_reason = built_in.value, built_in.reason_code
    row.contributions = built_in.contributions
    row.score, row.reason_code, row.scored_by = built_in.value, built_in.reason_code, "heuristic"
    if answer is not None:
        row.score_model, row.score_tokens = answer.model, answer.tokens
        row.score_cause, row.score_detail = answer.cause, answer.detail
    if answer is not None and answer.value is not None:
        told = answer.value
        row.model_score, row.model_reason, row.model_rationale = told.score, told.reason, told.rationale
        if store.settings.ai_scoring == "on":
            row.score, row.reason_code, row.scored_by = told.score, told.reason, "model"
    row.scored_at, row.scoring_until, row.status = now, None, "scored"
    row.due_at = row.detected_at + timedelta(minutes=store.settings.steps[0].delay_minutes)


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
