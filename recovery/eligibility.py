"""Whether a person may be written to about a cart: small pure checks over facts, the same ones when a mail is planned
and again in the transaction after which it goes out.

A failing check is ``final`` (this step will never go) or not (it may go later). The first failing one is the reason.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from recovery.eligibility_facts import Check, Facts, Failure, PersonMail
from recovery.eligibility_holds import cooled_off, not_bought_elsewhere, not_quiet, not_too_late, not_too_often
from recovery.eligibility_values import detail, looked_at
from recovery.text import email_address, is_bot_address, is_role_address

__all__ = ["CHECKS", "REASONS", "Check", "Facts", "Failure", "PersonMail", "explained", "first_failure"]

PENDING_ORDER_HOLDS = timedelta(minutes=60)

#: Every reason with the sentence that explains it.
REASONS = {
    "module_off": "The module is switched off for this store.",
    "store_paused": "The store is paused; nothing is sent until it is live again.",
    "cart_gone": "The cart was deleted or merged into another one.",
    "cart_changed": "The cart was changed after it had been left, so this episode is over.",
    "cart_inactive": "The shop says that this cart can't be bought any more.",
    "cart_empty": "The cart has no items any more.",
    "items_gone": "Nothing in the cart can be bought any more.",
    "ordered": "The customer has ordered since.",
    "payment_pending": "An order of this customer waits for its payment; nothing is sent for an hour.",
    "bot": "The cart was filled by a crawler, not by a customer.",
    "address_wrong": "The address is not one that can be written to.",
    "role_address": "The address belongs to a role (such as info@), not to a person.",
    "suppressed": "This person is not to be written to.",
    "no_consent": "There is no consent to marketing mail that the store's consent policy asks for.",
    "below_score": "The intent score is below the store's minimum.",
    "undeliverable": "An earlier message about this cart could not be delivered.",
    "too_late": "It is too late for this message.",
    "earlier_under_way": "The message before is still on its way.",
    "bought_elsewhere": "The cart was probably bought under another address.",
    "ordered_lately": "The customer has ordered a short while ago.",
    "too_often": "This person has had as many mails as the store allows.",
    "quiet_hours": "It is quiet time at the store.",
    "before_live": "The cart was left before the store went live.",
    "sender_missing": "The store has no sender address or no postal address yet; set both to send.",
    "complaints": "Too many people reported this shop's mails as spam; nothing goes until somebody lifts the stop.",
    "held_out": "This person is in the hold-out group that measures what the mails bring.",
}


def first_failure(facts: Facts, now: datetime) -> tuple[Failure | None, list[dict[str, Any]]]:
    """The first failing check, and every check up to it with its answer, for the decision's record."""
    trail: list[dict[str, Any]] = []
    for name, check in CHECKS:
        failure = check(facts, now)
        trail.append({"check": name, "passed": failure is None} | looked_at(name, facts, now))
        if failure is not None:
            if failure.until is not None:
                trail[-1]["until"] = failure.until.isoformat()
            return failure, trail
    return None, trail


def explained(reason: str, trail: Sequence[Mapping[str, Any]], zone: tzinfo) -> str:
    """A reason in words with the figures behind it, from the checks of a decision."""
    told = REASONS.get(reason, reason)
    figures = detail(reason, trail[-1], zone) if trail else ""
    return f"{told} {figures}".strip()


def _enabled(facts: Facts, now: datetime) -> Failure | None:
    return None if facts.settings.enabled else Failure("module_off", final=False)


def _not_paused(facts: Facts, now: datetime) -> Failure | None:
    return Failure("store_paused", final=False) if facts.store_mode == "paused" else None


def _cart_is_there(facts: Facts, now: datetime) -> Failure | None:
    if facts.cart_status in {"deleted", "merged"}:
        return Failure("cart_gone")
    if facts.cart_status == "inactive":
        return Failure("cart_inactive", final=False)
    return Failure("cart_empty") if facts.items == 0 else None


def _something_is_left(facts: Facts, now: datetime) -> Failure | None:
    return Failure("items_gone") if facts.items_gone == facts.items else None


def _not_ordered(facts: Facts, now: datetime) -> Failure | None:
    return Failure("ordered") if facts.cart_status == "ordered" or facts.ordered_at else None


def _no_pending_order(facts: Facts, now: datetime) -> Failure | None:
    pending = facts.pending_order_at
    return Failure("payment_pending", final=False) if pending and now < pending + PENDING_ORDER_HOLDS else None


def _cart_is_unchanged(facts: Facts, now: datetime) -> Failure | None:
    same = facts.fingerprint == facts.cart_fingerprint and facts.email_hash == facts.cart_email_hash
    return None if same else Failure("cart_changed")


def _is_a_person(facts: Facts, now: datetime) -> Failure | None:
    address = facts.address or ""
    if facts.is_bot or is_bot_address(address):
        return Failure("bot")
    if email_address(address) is None:
        return Failure("address_wrong")
    return Failure("role_address") if is_role_address(address) else None


def _not_suppressed(facts: Facts, now: datetime) -> Failure | None:
    return Failure("suppressed") if facts.suppressed_by else None


def _has_consent(facts: Facts, now: datetime) -> Failure | None:
    policy = facts.settings.effective_consent_policy
    agreed = facts.consent and (facts.consent_basis == "consent" or policy == "soft_opt_in")
    may_be_asked_again = policy == "soft_opt_in" and facts.is_customer and facts.consent is None
    return None if policy == "off" or agreed or may_be_asked_again else Failure("no_consent", final=False)


def _scores_enough(facts: Facts, now: datetime) -> Failure | None:
    enough = facts.score is not None and facts.score >= facts.settings.min_intent_score
    return None if enough else Failure("below_score")


def _left_while_live(facts: Facts, now: datetime) -> Failure | None:
    if facts.store_mode != "live" or facts.live_since is None or facts.detected_at >= facts.live_since:
        return None
    return Failure("before_live")


def _earlier_arrived(facts: Facts, now: datetime) -> Failure | None:
    return Failure("undeliverable") if facts.earlier == "failed" else None


def _earlier_has_gone(facts: Facts, now: datetime) -> Failure | None:
    return Failure("earlier_under_way", final=False) if facts.earlier == "under_way" else None


def _has_sender(facts: Facts, now: datetime) -> Failure | None:
    complete = facts.settings.sender_address and facts.settings.postal_address
    return None if complete or facts.store_mode == "observing" else Failure("sender_missing", final=False)


def _no_complaint_stop(facts: Facts, now: datetime) -> Failure | None:
    return Failure("complaints", final=False) if facts.stopped_by_complaints else None


def _not_held_out(facts: Facts, now: datetime) -> Failure | None:
    return Failure("held_out") if facts.arm == "holdout" else None


#: In this order: first what can't change any more, then what only holds back, last the hold-out, so that it is compared
#: with people who would have been written to.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("enabled", _enabled),
    ("not_paused", _not_paused),
    ("cart_is_there", _cart_is_there),
    ("not_ordered", _not_ordered),
    ("no_pending_order", _no_pending_order),
    ("cart_is_unchanged", _cart_is_unchanged),
    ("something_is_left", _something_is_left),
    ("is_a_person", _is_a_person),
    ("not_suppressed", _not_suppressed),
    ("scores_enough", _scores_enough),
    ("left_while_live", _left_while_live),
    ("earlier_arrived", _earlier_arrived),
    ("not_too_late", not_too_late),
    ("has_consent", _has_consent),
    ("has_sender", _has_sender),
    ("no_complaint_stop", _no_complaint_stop),
    ("earlier_has_gone", _earlier_has_gone),
    ("not_bought_elsewhere", not_bought_elsewhere),
    ("cooled_off", cooled_off),
    ("not_too_often", not_too_often),
    ("not_quiet", not_quiet),
    ("not_held_out", _not_held_out),
)
