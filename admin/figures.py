"""The figures of a time: how many of what, how far carts came, and all of it day by day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from admin.periods import Period, Unit
from recovery import db
from recovery.analytics import CLICKED

_COUNTS = """
WITH left_behind AS (
  SELECT recovered_at IS NOT NULL AND recovery_reversed_at IS NULL AS came_back FROM abandonment
   WHERE store_id = ANY($1) AND detected_at >= $2 AND detected_at < $3
), talks AS (
  SELECT id FROM conversation WHERE store_id = ANY($1) AND created_at >= $2 AND created_at < $3
), recovered AS (
  SELECT cart_id, recovered_at FROM abandonment
   WHERE store_id = ANY($1) AND recovered_at >= $2 AND recovered_at < $3 AND recovery_reversed_at IS NULL
)
SELECT (SELECT count(*) FROM left_behind) AS abandoned,
       (SELECT count(*) FROM left_behind WHERE came_back) AS of_them_recovered,
       (SELECT count(*) FROM email
         WHERE store_id = ANY($1) AND sent_at >= $2 AND sent_at < $3 AND status = 'sent') AS emails_sent,
       (SELECT count(*) FROM recovered) AS recovered,
       (SELECT count(*) FROM coupon
         WHERE store_id = ANY($1) AND issued_at >= $2 AND issued_at < $3) AS coupons_issued,
       (SELECT count(*) FROM coupon
         WHERE store_id = ANY($1) AND redeemed_at >= $2 AND redeemed_at < $3) AS coupons_used,
       (SELECT count(*) FROM talks) AS conversations,
       (SELECT count(*) FROM talks t WHERE EXISTS (SELECT 1 FROM turn WHERE conversation_id = t.id)) AS asked,
       (SELECT count(*) FROM recovered r WHERE EXISTS (
          SELECT 1 FROM conversation v JOIN turn t ON t.conversation_id = v.id
           WHERE v.cart_id = r.cart_id AND t.asked_at <= r.recovered_at)) AS orders_after_chat,
       (SELECT sum(t.cost_micros)::bigint FROM turn t JOIN conversation v ON v.id = t.conversation_id
         WHERE v.store_id = ANY($1) AND t.asked_at >= $2 AND t.asked_at < $3) AS cost_micros
"""
_FUNNEL = f"""
SELECT count(*) AS left_behind, count(a.score) AS scored,
       count(*) FILTER (WHERE EXISTS (
         SELECT 1 FROM email WHERE abandonment_id = a.id AND status = 'sent')) AS mailed,
       count(*) FILTER (WHERE {CLICKED}) AS clicked,
       count(*) FILTER (WHERE EXISTS (
         SELECT 1 FROM conversation v JOIN turn t ON t.conversation_id = v.id
          WHERE v.cart_id = a.cart_id AND t.asked_at >= a.detected_at
            AND (a.closed_at IS NULL OR t.asked_at <= a.closed_at))) AS talked,
       count(*) FILTER (WHERE a.recovered_at IS NOT NULL AND a.recovery_reversed_at IS NULL) AS recovered
  FROM abandonment a WHERE a.store_id = ANY($1) AND a.detected_at >= $2 AND a.detected_at < $3
"""  # noqa: S608
#: What is counted in each bucket of a series, by the moment it happened at.
_COUNTED = {
    "abandoned": ("abandonment", "detected_at", "true"),
    "emails_sent": ("email", "sent_at", "status = 'sent'"),
    "recovered": ("abandonment", "recovered_at", "recovery_reversed_at IS NULL"),
    "coupons_used": ("coupon", "redeemed_at", "true"),
    "conversations": ("conversation", "created_at", "true"),
}
_BUCKETS = """
SELECT '{name}' AS name, date_trunc($4, {at} AT TIME ZONE $5)::date AS day, count(*) AS n
  FROM {table} WHERE store_id = ANY($1) AND {at} >= $2 AND {at} < $3 AND {condition} GROUP BY 2
"""
_SERIES = " UNION ALL ".join(
    _BUCKETS.format(name=name, table=table, at=at, condition=condition)
    for name, (table, at, condition) in _COUNTED.items()
)
_REVENUE = """
SELECT date_trunc($4, a.recovered_at AT TIME ZONE $5)::date AS day, a.recovered_currency AS currency,
       a.recovered_currency_digits AS digits, sum(a.recovered_revenue)::bigint AS revenue,
       coalesce(sum(a.recovered_revenue) FILTER (WHERE coalesce(o.attribution, 'none') <> 'none'), 0)::bigint AS by_us
  FROM abandonment a LEFT JOIN "order" o ON o.id = a.recovered_order_id
 WHERE a.store_id = ANY($1) AND a.recovered_at >= $2 AND a.recovered_at < $3 AND a.recovery_reversed_at IS NULL
   AND a.recovered_currency IS NOT NULL
 GROUP BY 1, 2, 3 ORDER BY 2
"""


@dataclass(frozen=True)
class Earned:
    """What came back in one currency, in minor units: all of it, and what a link or coupon of ours brought."""

    currency: str
    digits: int
    all: int
    by_us: int


@dataclass
class Bucket:
    """One day, week or month, named by its first day."""

    day: date
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_COUNTED, 0))
    earned: list[Earned] = field(default_factory=list)


async def counts(store_ids: Sequence[int], since: datetime, until: datetime) -> dict[str, Any]:
    """The numbers of the tiles."""
    (row,) = await db.client().execute_query_dict(_COUNTS, [list(store_ids), since, until])
    return dict(row)


async def funnel(store_ids: Sequence[int], since: datetime, until: datetime) -> dict[str, int]:
    """How far the carts came that were left behind in this time."""
    (row,) = await db.client().execute_query_dict(_FUNNEL, [list(store_ids), since, until])
    return dict(row)


async def series(store_ids: Sequence[int], period: Period, unit: Unit) -> list[Bucket]:
    """What happened in each day, week or month of the period, those without anything among them."""
    values = [list(store_ids), period.since, period.until, unit, period.zone.key]
    found = {day: Bucket(day) for day in period.buckets(unit)}
    for row in await db.client().execute_query_dict(_SERIES, values):
        found[row["day"]].counts[row["name"]] = row["n"]
    for row in await db.client().execute_query_dict(_REVENUE, values):
        earned = Earned(row["currency"], row["digits"], row["revenue"], row["by_us"])
        found[row["day"]].earned.append(earned)
    return list(found.values())
