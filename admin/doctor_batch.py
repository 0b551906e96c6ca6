"""The doctor on what models do for the sweeps: why one did not score carts or write mails in the last day."""

from datetime import datetime, timedelta
from typing import Any

from admin.findings import Finding, counted, good, wrong
from recovery import db
from recovery.llm_batch import has_model
from recovery.llm_errors import cause_advice, cause_words
from recovery.stores.registry import StoreInForce

RECENT = timedelta(days=1)

_UNSCORED = """
SELECT score_cause AS cause, count(*)::int AS number, max(score_model) AS model
  FROM abandonment WHERE store_id = $1 AND scored_at > $2 AND score_cause IS NOT NULL GROUP BY 1 ORDER BY 2 DESC LIMIT 5
"""
_WORDS = """
SELECT words_cause AS cause, count(*)::int AS number, max(words_model) AS model,
       (array_agg(words_detail ORDER BY composed_at DESC))[1] AS detail
  FROM email WHERE store_id = $1 AND composed_at > $2 AND words_model IS NOT NULL
 GROUP BY 1 ORDER BY 1 NULLS FIRST LIMIT 8
"""


async def unscored(store: StoreInForce, name: str, now: datetime) -> list[Finding]:
    """Why the store's model did not score."""
    rows = await db.client().execute_query_dict(_UNSCORED, [store.row.id, now - RECENT])
    return [_unused(f"Scoring of {name}", row, "did not score", ("cart", "carts")) for row in rows]


async def whose_words(store: StoreInForce, name: str, now: datetime) -> list[Finding]:
    """Whose words the mails of the last day have, where a model is to write them."""
    if not has_model(store) or not store.settings.ai_emails:
        return []
    found, subject = [], f"Words of {name}"
    for row in await db.client().execute_query_dict(_WORDS, [store.row.id, now - RECENT]):
        if row["cause"] is None:
            mails = counted(row["number"], "mail", "mails")
            found.append(good(subject, f"{mails} of the last 24 hours in the words of {row['model']}"))
        else:
            found.append(_unused(subject, row, "did not write", ("mail", "mails")))
    return found


def _unused(subject: str, row: dict[str, Any], what: str, thing: tuple[str, str]) -> Finding:
    """Something that a model was to do and did not."""
    told = f"{row['model'] or 'its model'} {what} {counted(row['number'], *thing)} of the last 24 hours: "
    last = f"; last: {row['detail']}" if row.get("detail") else ""
    return wrong(subject, told + cause_words(row["cause"]) + last, cause_advice(row["cause"]))
