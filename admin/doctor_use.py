"""The doctor on the questions whether a model scores, and why the assistant's answers are generic."""

from datetime import datetime, timedelta
from typing import Any

from admin.doctor_batch import RECENT, unscored
from admin.doctor_installation import named_stores, no_store
from admin.findings import Finding, counted, good, note, wrong
from recovery import db
from recovery.llm_batch import has_model
from recovery.llm_errors import cause_advice, cause_words
from recovery.stores.registry import StoreInForce

WINDOW = timedelta(days=30)

_SCORED = """
SELECT coalesce(scored_by, '') AS scored_by, count(*)::int AS carts, min(score) AS least, max(score) AS most,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY score) AS median
  FROM abandonment WHERE detected_at > $1 GROUP BY 1 ORDER BY 2 DESC
"""
_LINKS = """
SELECT count(*)::int AS links, (count(*) FILTER (WHERE uses > 0))::int AS used,
       (count(*) FILTER (WHERE expires_at <= $3))::int AS expired
  FROM link_token WHERE kind = 'assistant' AND store_id = $1 AND created_at > $2
"""
_TURNS = """
SELECT coalesce(t.answered_by, 'nobody') AS answered_by, coalesce(t.finish, t.status) AS finish, count(*)::int AS turns
  FROM turn t JOIN conversation c ON c.id = t.conversation_id
 WHERE c.store_id = $1 AND t.asked_at > $2 GROUP BY 1, 2 ORDER BY 3 DESC
"""
_KNOWN = """
SELECT (SELECT count(*) FROM product WHERE store_id = $1 AND active)::int AS products,
       (SELECT count(*) FROM product WHERE store_id = $1 AND active AND description = '')::int AS bare,
       (SELECT count(*) FROM policy WHERE store_id = $1 AND text <> '')::int AS policies,
       (SELECT count(*) FROM conversation WHERE store_id = $1 AND created_at > $2)::int AS conversations,
       (SELECT count(*) FROM conversation WHERE store_id = $1 AND waiting_since > $2)::int AS waiting
"""


async def examine_scores(now: datetime) -> list[Finding]:
    """Who scores for each store, who scored how many carts in 30 days, and why a model did not."""
    named = await named_stores()
    with_model = [(store, name) for store, name in named if has_model(store) and store.settings.ai_scoring != "off"]
    words = "what is built in scores every cart; a model's score counts where ai_scoring is on and it answers"
    found = [note("Scoring", words)]
    for store, name in with_model:
        counts = "counts" if store.settings.ai_scoring == "on" else "is kept beside the built-in one, which counts"
        found.append(note(f"Scoring of {name}", f"{store.settings.ai_model} is asked, and its score {counts}"))
    rows = await db.client().execute_query_dict(_SCORED, [now - WINDOW])
    if not rows:
        found.append(note("Scores", "no cart was detected in 30 days", "See `cartback doctor carts`."))
    found += [_scored(row) for row in rows]
    for store, name in with_model:
        found += await unscored(store, name, now)
    return found


def _scored(row: dict[str, Any]) -> Finding:
    carts = counted(row["carts"], "cart", "carts")
    if not row["scored_by"]:
        fix = "The worker scores them; by hand: `cartback score`."
        return note("Scores", f"{carts} of the last 30 days not scored yet", fix)
    span = f"from {row['least']:.2f} to {row['most']:.2f}, half of them above {row['median']:.2f}"
    return good("Scores", f"{carts} of the last 30 days scored by {row['scored_by']}: {span}")


_FAILURES = """
SELECT t.fallback_cause AS cause, count(*)::int AS turns, max(t.asked_at) AS last, max(t.model) AS model
  FROM turn t JOIN conversation c ON c.id = t.conversation_id
 WHERE c.store_id = $1 AND t.asked_at > $2 AND t.fallback_cause IS NOT NULL GROUP BY 1 ORDER BY 3 DESC LIMIT 5
"""


async def examine_assistant(now: datetime) -> list[Finding]:
    """Per store: links, conversations, who answered, and what the assistant has to answer from."""
    words = "it answers by the model a store has chosen; where there is none, or it fails, from the store's own data"
    found = [note("Assistant", words)]
    named = await named_stores()
    for store, name in named:
        found += await _store(store, name, now)
    return found if named else [*found, no_store()]


async def _store(store: StoreInForce, name: str, now: datetime) -> list[Finding]:
    subject, since = f"Assistant of {name}", now - WINDOW
    (known,) = await db.client().execute_query_dict(_KNOWN, [store.row.id, since])
    (links,) = await db.client().execute_query_dict(_LINKS, [store.row.id, since, now])
    turns = await db.client().execute_query_dict(_TURNS, [store.row.id, since])
    found = [_links(subject, name, store, links), *_knowledge(subject, known)]
    talks = counted(known["conversations"], "conversation", "conversations")
    if known["waiting"]:
        asked = counted(known["waiting"], "customer", "customers")
        fix = "Each was mailed to the shop; `cartback conversations list` shows them."
        found.append(note(subject, f"{asked} asked for a person in 30 days", fix))
    if not turns:
        return [*found, note(subject, f"{talks} in 30 days, no question asked")]
    told = ", ".join(f"{row['turns']} by {row['answered_by']} ({row['finish']})" for row in turns)
    return [*found, good(subject, f"{talks} in 30 days; answers: {told}"), *await _failures(subject, store, now)]


async def _failures(subject: str, store: StoreInForce, now: datetime) -> list[Finding]:
    """Why the store's model did not answer in the last day, the latest cause first."""
    rows = await db.client().execute_query_dict(_FAILURES, [store.row.id, now - RECENT])
    return [
        wrong(
            subject,
            f"{row['model'] or 'its model'} did not answer {counted(row['turns'], 'question', 'questions')} of the "
            f"last 24 hours: {cause_words(row['cause'])}; last at {row['last']:%Y-%m-%d %H:%M} UTC",
            cause_advice(row["cause"]),
        )
        for row in rows
    ]


def _links(subject: str, name: str, store: StoreInForce, links: dict[str, Any]) -> Finding:
    if not store.settings.assistant_link:
        fix = f"`cartback settings set assistant_link true --store {name}`"
        return note(subject, "the link is switched off, so mails carry none", fix)
    words = f"{counted(links['links'], 'link', 'links')} sent in 30 days, {links['used']} opened, "
    words += f"{links['expired']} expired"
    if links["expired"] and links["expired"] == links["links"]:
        minutes = store.settings.conversation_minutes
        fix = f"A link works for {minutes} min from its mail; the setting is conversation_minutes."
        return note(subject, words, fix)
    return good(subject, words)


def _knowledge(subject: str, known: dict[str, Any]) -> list[Finding]:
    found = []
    if not known["products"]:
        fix = "Let the shop send product.updated for its catalogue; see docs/hooks.md."
        found.append(wrong(subject, "it knows no product, so its answers can only be generic", fix))
    else:
        words = f"it knows {counted(known['products'], 'product', 'products')}"
        if known["bare"] * 2 > known["products"]:
            fix = "Send descriptions and attributes with product.updated."
            found.append(note(subject, f"{words}, {known['bare']} of them without a description", fix))
        else:
            found.append(good(subject, words))
    if not known["policies"]:
        fix = "Let the shop send policy.updated with delivery, returns and payment."
        found.append(wrong(subject, "it knows no policy, so it can't answer on delivery or returns", fix))
    else:
        found.append(good(subject, f"it knows {counted(known['policies'], 'policy', 'policies')}"))
    return found
