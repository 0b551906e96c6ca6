"""The doctor on the question why carts are detected but not mailed: decisions, mails and the minimum score."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from admin.doctor_bounces import examine as examine_bounces
from admin.doctor_carts import last_run
from admin.doctor_coupons import coupon_findings
from admin.doctor_installation import named_stores, no_store, worker
from admin.findings import Finding, counted, good, note, wrong
from recovery import db
from recovery.eligibility import REASONS
from recovery.models import Abandonment
from recovery.stores.registry import StoreInForce

WINDOW = timedelta(days=7)
LAST_SCORED = 100

# One row per abandonment and step, the newest: a cart that waited and then went is one that went.
_DECISIONS = """
SELECT outcome, reason, count(*)::int AS steps FROM (
  SELECT DISTINCT ON (d.abandonment_id, d.step) d.outcome, d.reason
    FROM decision d JOIN abandonment a ON a.id = d.abandonment_id
   WHERE a.store_id = $1 AND d.at > $2
   ORDER BY d.abandonment_id, d.step, d.at DESC, d.id DESC) newest
 GROUP BY outcome, reason ORDER BY steps DESC, outcome, reason
"""
_MAILS = """
SELECT e.status, count(*)::int AS mails, max(e.attempts)::int AS attempts,
       (array_agg(e.smtp_code || ' ' || e.smtp_text ORDER BY e.created_at DESC)
          FILTER (WHERE e.smtp_code >= 400))[1] AS smtp
  FROM email e WHERE e.store_id = $1 AND e.created_at > $2
 GROUP BY e.status ORDER BY e.status
"""
_MAIL_FIXES = {
    "failed": "See the relay's answer; an address that does not exist needs nothing more.",
    "unknown": "The relay never said whether it took them, so they are not sent again. Ask its log.",
}
#: What the shop or the merchant can change, by the reason that held a mail back.
_FIXES = {
    "no_consent": "Let the shop send consent.updated, or choose another consent_policy.",
    "below_score": "Lower min_intent_score if too few carts pass; see below how many do.",
    "sender_missing": "Set sender_address and postal_address.",
    "module_off": "`cartback settings set enabled true`",
    "store_paused": "`cartback stores mode CODE live`",
    "too_often": "The limits are mails_per_person and carts_per_person in per_person_days.",
    "quiet_hours": "They go when quiet_hours are over.",
    "ordered_lately": "The rest after an order is order_cool_off_days.",
    "bought_elsewhere": "See `cartback explain`; the setting is bought_elsewhere_hours.",
    "too_late": "Was the worker or the relay away? The setting is max_late_hours.",
    "address_wrong": "Look at what the shop sends as customer.email.",
}


async def examine(now: datetime) -> list[Finding]:
    """The worker, the last run of sending and, per store, what became of the last seven days' carts."""
    found = [*await worker(), *await last_run("email")]
    named = await named_stores()
    for store, name in named:
        found += await _store(store, name, now)
    found += await examine_bounces(now)
    return found if named else [*found, no_store()]


async def _store(store: StoreInForce, name: str, now: datetime) -> list[Finding]:
    found = _mode(store, name)
    decisions = await db.client().execute_query_dict(_DECISIONS, [store.row.id, now - WINDOW])
    if not decisions:
        detected = await Abandonment.filter(store_id=store.row.id, detected_at__gt=now - WINDOW).count()
        fix = "See `cartback doctor carts`." if not detected else "A step may not be due yet; the setting is `steps`."
        words = f"nothing was decided in 7 days; {counted(detected, 'cart', 'carts')} detected"
        found.append(note(f"Decisions of {name}", words, fix))
    found += [_decision(name, row) for row in decisions]
    mails = await db.client().execute_query_dict(_MAILS, [store.row.id, now - WINDOW])
    found += [_mails(name, row, store) for row in mails]
    return [*found, *await coupon_findings(store, name, now), *await _scores(store, name)]


def _mode(store: StoreInForce, name: str) -> list[Finding]:
    found, subject = [], f"Store {name}"
    if store.row.mode != "live":
        fix = f"When you want mails to go out: `cartback stores mode {name} live`"
        found.append(wrong(subject, f"is {store.row.mode}, so nothing is sent", fix))
    if not store.settings.enabled:
        fix = f"`cartback settings set enabled true --store {name}`"
        found.append(wrong(subject, "the module is switched off, so nothing is sent", fix))
    missing = [part for part in ("sender_address", "postal_address") if not getattr(store.settings, part)]
    if missing:
        fix = f"`cartback settings set {missing[0]} ... --store {name}`"
        found.append(wrong(subject, f"sends nothing without {' and '.join(missing)}", fix))
    return found


def _decision(name: str, row: dict[str, Any]) -> Finding:
    subject, steps = f"Decisions of {name}", counted(row["steps"], "message", "messages")
    if row["outcome"] in {"queued", "sent"}:
        return good(subject, f"{steps} {row['outcome']}")
    if row["outcome"] == "would_send":
        return note(subject, f"{steps} would have been sent, but the store only observes")
    reason = row["reason"] or ""
    words = f"{steps} {'waiting' if row['outcome'] == 'waiting' else 'not sent'}: {REASONS.get(reason, reason)}"
    return note(subject, words, _FIXES.get(reason, ""))


def _mails(name: str, row: dict[str, Any], store: StoreInForce) -> Finding:
    subject, words = f"Mails of {name}", f"{counted(row['mails'], 'mail', 'mails')} {row['status']}"
    if row["smtp"]:
        words += f"; the relay's last refusal: {row['smtp']}"
    if row["status"] == "pending" and row["attempts"]:
        limit = store.settings.max_email_attempts
        words += f"; up to {row['attempts']} of {limit} attempts used"
    if row["status"] in _MAIL_FIXES:
        return wrong(subject, words, _MAIL_FIXES[row["status"]])
    return note(subject, words) if row["smtp"] else good(subject, words)


async def _scores(store: StoreInForce, name: str) -> list[Finding]:
    """How many of the last carts the minimum lets through."""
    rows = (
        await Abandonment.filter(store_id=store.row.id, score__isnull=False)
        .order_by("-detected_at")
        .limit(LAST_SCORED)
        .values_list("score", flat=True)
    )
    scores: Sequence[Any] = list(rows)
    if not scores:
        return []
    minimum, subject = store.settings.min_intent_score, f"Minimum score of {name}"
    passed = sum(score >= minimum for score in scores)
    words = f"{passed} of the last {len(scores)} scored carts reach {minimum:.2f}"
    if passed * 4 < len(scores):
        fix = (
            f"`cartback settings set min_intent_score {max(0.0, minimum - 0.1):.2f} --store {name}` lets more through."
        )
        return [note(subject, words, fix)]
    return [good(subject, words)]
