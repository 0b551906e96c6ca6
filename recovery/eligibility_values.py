"""What each check looked at, for the decision's record and its sentence: figures and states, nothing personal."""

from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from recovery.eligibility_facts import Facts
from recovery.eligibility_holds import mails_counted

Values = dict[str, Any]


def looked_at(check: str, facts: Facts, now: datetime) -> Values:
    """The values of one check as ``{"values": …}``; empty where its name says it all."""
    values = _LOOKED_AT[check](facts, now)
    return {"values": values} if values else {}


def detail(reason: str, check: Mapping[str, Any], zone: tzinfo) -> str:
    """The sentence that adds the figures to a reason, from the failing check of a decision; empty without any."""
    values = {**check.get("values", {})}
    if "until" in check:
        values["until"] = _shown(check["until"], zone)
    for name in ("due", "latest", "ordered", "placed", "detected", "live_since"):
        if values.get(name):
            values[name] = _shown(values[name], zone)
    key = f"{reason}_until" if "until" in values and f"{reason}_until" in _DETAILS else reason
    try:
        return _DETAILS.get(key, "").format_map(values)
    except KeyError:  # a decision of an older version did not keep the figures
        return ""


def _shown(moment: str, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(moment).astimezone(zone):%Y-%m-%d %H:%M}"


_DETAILS = {
    "below_score": "It is {score}, the minimum {minimum}.",
    "no_consent": "The policy is {policy}.",
    "before_live": "It was detected on {detected}, the store is live since {live_since}.",
    "items_gone": "Lines: {lines}, gone: {gone}.",
    "too_late": "It was due on {due} and makes sense until {latest}.",
    "bought_elsewhere": "An order of {placed} has the same {sign}.",
    "bought_elsewhere_until": "An order of {placed} has the same {sign}; that holds mails until {until}.",
    "ordered_lately_until": "The order is of {ordered}; mails rest for {days} days, until {until}.",
    "too_often": "Mails in {days} days: {mails} of {most_mails}; other carts: {carts} of {most_carts} (0: no limit).",
    "too_often_until": "Mails in {days} days: {mails} of {most_mails}; other carts: {carts} of {most_carts} (0: no "
    "limit). There is room again on {until}.",
    "quiet_hours_until": "Quiet is {hours} {zone}; the mail goes on {until} at the earliest.",
}


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)


def _purchase(facts: Facts, now: datetime) -> Values:
    bought = facts.purchase
    return {"sign": bought.sign, "placed": _iso(bought.placed_at)} if bought else {}


def _often(facts: Facts, now: datetime) -> Values:
    counted = mails_counted(facts, now)
    return {
        "days": facts.settings.per_person_days,
        "mails": len(counted),
        "most_mails": facts.settings.mails_per_person,
        "carts": len({mail.abandonment_id for mail in counted} - {facts.abandonment_id}),
        "most_carts": facts.settings.carts_per_person,
    }


def _consent(facts: Facts, now: datetime) -> Values:
    return {
        "policy": facts.settings.effective_consent_policy,
        "consent": facts.consent,
        "basis": facts.consent_basis,
        "customer": facts.is_customer,
    }


def _sender(facts: Facts, now: datetime) -> Values:
    return {name: bool(getattr(facts.settings, name)) for name in ("sender_address", "postal_address")}


_LOOKED_AT: dict[str, Callable[[Facts, datetime], Values]] = {
    "enabled": lambda facts, now: {"enabled": facts.settings.enabled},
    "not_paused": lambda facts, now: {"mode": facts.store_mode},
    "cart_is_there": lambda facts, now: {"status": facts.cart_status, "lines": facts.items},
    "not_ordered": lambda facts, now: {"ordered": _iso(facts.ordered_at)},
    "no_pending_order": lambda facts, now: {"pending": _iso(facts.pending_order_at)},
    "cart_is_unchanged": lambda facts, now: {},
    "something_is_left": lambda facts, now: {"lines": facts.items, "gone": facts.items_gone},
    "is_a_person": lambda facts, now: {"bot": facts.is_bot},
    "not_suppressed": lambda facts, now: {"cause": facts.suppressed_by},
    "scores_enough": lambda facts, now: {"score": _rounded(facts.score), "minimum": facts.settings.min_intent_score},
    "left_while_live": lambda facts, now: {
        "detected": _iso(facts.detected_at),
        "live_since": _iso(facts.live_since),
    },
    "earlier_arrived": lambda facts, now: {},
    "not_too_late": lambda facts, now: {"due": _iso(facts.due_at), "latest": _iso(facts.latest_at)},
    "has_consent": _consent,
    "has_sender": _sender,
    "earlier_has_gone": lambda facts, now: {"earlier": facts.earlier},
    "not_bought_elsewhere": _purchase,
    "cooled_off": lambda facts, now: {
        "ordered": _iso(facts.last_order_at),
        "days": facts.settings.order_cool_off_days,
    },
    "not_too_often": _often,
    "not_quiet": lambda facts, now: {"hours": facts.settings.quiet_hours, "zone": str(facts.zone)},
    "no_complaint_stop": lambda facts, now: {"stopped": facts.stopped_by_complaints},
    "not_held_out": lambda facts, now: {"arm": facts.arm},
}
