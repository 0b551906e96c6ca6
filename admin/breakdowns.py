"""The carts left behind in a time, in groups: how many were written to, how many came back and what they brought."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from admin.figures import Earned
from admin.periods import Period
from recovery import db

By = Literal["reason", "score_band", "step", "coupon", "words", "store", "arm"]
GROUPINGS: tuple[By, ...] = get_args(By)

#: What makes a group; ``m`` is the last mail that went before the cart came back, or the last at all.
_KEYS: dict[By, str] = {
    "reason": "coalesce(a.reason_code, 'none')",
    "score_band": "CASE WHEN a.score IS NULL THEN 'none' ELSE to_char(least(floor(a.score * 10), 9) / 10, 'FM0.0') END",
    "step": "coalesce((m.step + 1)::text, 'none')",
    "coupon": "CASE WHEN m.percent IS NULL THEN 'none' ELSE 'coupon' END",
    "words": "CASE WHEN m.step IS NULL THEN 'none' ELSE coalesce(m.written_by, 'none') END",
    "store": "a.store_id::text",
    "arm": "a.arm",
}
_GROUPS = """
SELECT {key} AS key, came.currency, came.digits, count(*) AS carts, count(m.step) AS mailed,
       count(*) FILTER (WHERE came.back) AS recovered,
       coalesce(sum(a.recovered_revenue) FILTER (WHERE came.back), 0)::bigint AS revenue,
       coalesce(sum(a.recovered_revenue) FILTER (
         WHERE came.back AND coalesce(o.attribution, 'none') <> 'none'), 0)::bigint AS by_us
  FROM abandonment a
  CROSS JOIN LATERAL (SELECT a.recovered_at IS NOT NULL AND a.recovery_reversed_at IS NULL AS back,
                             a.recovered_currency AS currency, a.recovered_currency_digits AS digits) came
  LEFT JOIN "order" o ON o.id = a.recovered_order_id
  LEFT JOIN LATERAL (
    SELECT e.step, e.words ->> 'written_by' AS written_by, e.words -> 'coupon' ->> 'percent' AS percent
      FROM email e WHERE e.abandonment_id = a.id AND e.status = 'sent'
       AND (a.recovered_at IS NULL OR e.sent_at <= a.recovered_at)
     ORDER BY e.step DESC LIMIT 1) m ON true
 WHERE a.store_id = ANY($1) AND a.detected_at >= $2 AND a.detected_at < $3
 GROUP BY 1, 2, 3 ORDER BY 1, 2
"""
# The newest decision of a cart says what became of it.
_LEFT_OUT = """
SELECT d.outcome, d.reason, count(*) AS carts
  FROM abandonment a
  JOIN LATERAL (SELECT outcome, reason FROM decision WHERE abandonment_id = a.id
                 ORDER BY at DESC, id DESC LIMIT 1) d ON true
 WHERE a.store_id = ANY($1) AND a.detected_at >= $2 AND a.detected_at < $3
   AND d.outcome IN ('skipped', 'waiting', 'held_out')
 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


@dataclass
class Group:
    """One group of carts."""

    key: str
    carts: int = 0
    mailed: int = 0
    recovered: int = 0
    earned: list[Earned] = field(default_factory=list)


async def groups(store_ids: Sequence[int], period: Period, by: By) -> list[Group]:
    """The carts left behind in this time by one property; together they are all of them."""
    found: dict[str, Group] = {}
    statement = _GROUPS.format(key=_KEYS[by])
    for row in await db.client().execute_query_dict(statement, [list(store_ids), period.since, period.until]):
        group = found.setdefault(row["key"], Group(row["key"]))
        group.carts += row["carts"]
        group.mailed += row["mailed"]
        group.recovered += row["recovered"]
        if row["recovered"] and row["currency"] is not None:
            group.earned.append(Earned(row["currency"], row["digits"], row["revenue"], row["by_us"]))
    return list(found.values())


async def left_out(store_ids: Sequence[int], period: Period) -> list[dict[str, Any]]:
    """The carts whose newest decision is against a mail, by outcome and reason, the most first."""
    values = [list(store_ids), period.since, period.until]
    return [dict(row) for row in await db.client().execute_query_dict(_LEFT_OUT, values)]
