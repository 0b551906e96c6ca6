"""What an observing store would have written: to which carts, worth how much, which it would have left out and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery import db
from recovery.emails import ready_made_words
from recovery.models import Abandonment, Decision
from recovery.stores.registry import StoreInForce

SHOWN = 5

# One row per cart, by its newest decision of all: who would be written to by any message would be written to.
_NEWEST = """
WITH seen AS (
  SELECT a.id, a.total, a.currency, a.currency_digits AS digits,
         bool_or(d.outcome = 'would_send') AS would,
         (array_agg(d.reason ORDER BY d.at DESC, d.id DESC))[1] AS reason,
         (array_agg(d.outcome ORDER BY d.at DESC, d.id DESC))[1] AS outcome
    FROM abandonment a JOIN decision d ON d.abandonment_id = a.id
   WHERE a.store_id = $1 AND a.detected_at >= $2 AND a.detected_at < $3
   GROUP BY a.id)
"""
_WOULD = f"""{_NEWEST}
SELECT currency, digits, count(*) AS carts, sum(total)::bigint AS worth
  FROM seen WHERE would GROUP BY 1, 2 ORDER BY 3 DESC, 1
"""  # noqa: S608
_SKIPPED = f"""{_NEWEST}
SELECT outcome, reason, count(*) AS carts FROM seen WHERE NOT would GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""  # noqa: S608


@dataclass(frozen=True)
class WouldBe:
    """A message that would have gone."""

    abandonment_id: int
    step: int
    at: datetime
    address: str | None
    subject: str


@dataclass(frozen=True)
class Observed:
    """Carts and their worth per currency, those left out by outcome and reason, and the newest messages."""

    would: list[dict[str, Any]]
    skipped: list[dict[str, Any]]
    mails: list[WouldBe]


async def observe(store: StoreInForce, since: datetime, until: datetime) -> Observed:
    """What was decided about the carts left behind in this time."""
    values = [store.row.id, since, until]
    newest = (
        await Decision.filter(
            outcome="would_send",
            abandonment__store_id=store.row.id,
            abandonment__detected_at__gte=since,
            abandonment__detected_at__lt=until,
        )
        .order_by("-at", "-id")
        .limit(SHOWN)
        .prefetch_related("abandonment__cart__items")
    )
    return Observed(
        would=[dict(row) for row in await db.client().execute_query_dict(_WOULD, values)],
        skipped=[dict(row) for row in await db.client().execute_query_dict(_SKIPPED, values)],
        mails=[_would_be(store, decision) for decision in newest],
    )


def _would_be(store: StoreInForce, decision: Decision) -> WouldBe:
    abandonment: Abandonment = decision.abandonment
    words = ready_made_words(store, abandonment, abandonment.cart, len(abandonment.cart.items), decision.step)
    return WouldBe(abandonment.id, decision.step, decision.at, abandonment.cart.email, words["subject"])
