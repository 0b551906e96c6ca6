"""The doctor on the question why carts are not detected: what stands in the way of each, counted."""

from datetime import datetime, timedelta
from typing import Any

from admin.doctor_installation import named_stores, no_store, worker
from admin.findings import Finding, counted, good, note, wrong
from recovery import db, jobs
from recovery.clock import SystemClock
from recovery.stores.registry import StoreInForce
from recovery.text import duration

#: How many carts of a store are looked at, the latest first: enough to see, quick with millions.
LATEST = 5000

# The first line that fits counts; the same order in which a person would ask.
_WHY = """
SELECT why, count(*)::int AS carts FROM (
  SELECT CASE
    WHEN c.status = 'ordered' OR EXISTS (
         SELECT 1 FROM "order" o WHERE o.connection_id = c.connection_id AND o.quote_id = c.quote_id
            AND o.state <> 'cancelled') THEN 'ordered'
    WHEN c.status <> 'active' THEN 'not_active'
    WHEN EXISTS (SELECT 1 FROM abandonment a WHERE a.cart_id = c.id
                    AND (a.open_key IS NOT NULL OR a.detected_at >= c.activity_at)) THEN 'detected'
    WHEN NOT EXISTS (SELECT 1 FROM cart_item i WHERE i.cart_id = c.id) THEN 'no_items'
    WHEN c.email_hash IS NULL THEN 'no_email'
    WHEN c.activity_at > $2 THEN 'not_idle'
    WHEN c.activity_at <= $3 THEN 'too_long_ago'
    ELSE 'due' END AS why
    FROM (SELECT * FROM cart WHERE store_id = $1 ORDER BY activity_at DESC LIMIT $4) c) counted
 GROUP BY why
"""


async def examine(now: datetime) -> list[Finding]:
    """The worker, the last run of detection and, per store, how many carts wait for what."""
    found = [*await worker(), *await last_run("detect")]
    named = await named_stores()
    for store, name in named:
        found += await _store(store, name, now)
    return found if named else [*found, no_store()]


async def last_run(job: str) -> list[Finding]:
    """When a job ran last, by this machine's clock, and what went wrong in it."""
    run = (await jobs.last_runs()).get(job)
    if run is None:
        return [note(f"Job {job}", "has never run", f"The worker runs it; by hand: `cartback {_COMMANDS[job]}`.")]
    when = duration(max(0, int((SystemClock().now() - run.finished_at).total_seconds() // 60)))
    if run.error:
        return [wrong(f"Job {job}", f"ran {when} ago and met trouble: {run.error}", "Mend that; it runs by itself.")]
    return [good(f"Job {job}", f"ran {when} ago without trouble")]


async def _store(store: StoreInForce, name: str, now: datetime) -> list[Finding]:
    settings, subject = store.settings, f"Carts of {name}"
    found = []
    if not settings.enabled:
        fix = f"`cartback settings set enabled true --store {name}`"
        found.append(wrong(subject, "the module is switched off, so none is detected", fix))
    if store.row.mode == "paused":
        fix = f"`cartback stores mode {name} observing` (or live)"
        found.append(wrong(subject, "the store is paused, so none is detected", fix))
    idle, history = timedelta(minutes=settings.inactivity_minutes), timedelta(hours=settings.look_back_hours)
    rows = await db.client().execute_query_dict(_WHY, [store.row.id, now - idle, now - history, LATEST])
    counts = {row["why"]: row["carts"] for row in rows}
    if not counts:
        fix = "Look at /admin/hooks for refused hooks; docs/hooks.md has an example to paste."
        return [*found, note(subject, "the shop has never sent one", fix)]
    values = {"idle": duration(settings.inactivity_minutes), "hours": settings.look_back_hours, "name": name}
    return found + [_why(subject, why, counts[why], values) for why in _WORDS if why in counts]


def _why(subject: str, why: str, number: int, values: dict[str, Any]) -> Finding:
    make, words, fix = _WORDS[why]
    sentence = f"{counted(number, 'cart', 'carts')} {words.format(**values)}"
    return make(subject, sentence, fix.format(**values)) if fix else good(subject, sentence)


_COMMANDS = {"detect": "detect", "score": "score", "email": "send-emails"}
_WORDS: dict[str, tuple[Any, str, str]] = {
    "detected": (good, "detected, or looked at since the last change", ""),
    "due": (note, "due: the next run of detection takes them", "If this stays, run `cartback detect` and see."),
    "not_idle": (
        note,
        "not left for long enough yet: {idle} without a change are needed",
        "Wait, or `cartback settings set inactivity_minutes 15 --store {name}`.",
    ),
    "no_email": (
        note,
        "without an e-mail address",
        "Let the shop send customer.email with cart.updated as soon as it is typed.",
    ),
    "no_items": (note, "without items", "Nothing to do; an empty cart is nothing to bring back."),
    "too_long_ago": (
        note,
        "left more than {hours} h ago before they could be detected, which counts as history",
        "Such carts are never mailed. The window is `look_back_hours`; a silent worker is the usual cause.",
    ),
    "not_active": (good, "deleted, merged or no longer for sale, as the shop says", ""),
    "ordered": (good, "ordered", ""),
}
