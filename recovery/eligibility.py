"""Whether a person may be written to about a cart: small pure checks over facts, the same ones when a mail is planned
and again in the transaction after which it goes out.

A failing check is ``final`` (this step will never go) or not (it may go later). The first failing one is the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from recovery.store_settings import StoreSettings
from recovery.text import email_address, is_bot_address, is_role_address

PENDING_ORDER_HOLDS = timedelta(minutes=60)


@dataclass(frozen=True)
class Facts:
    """Everything the checks look at, loaded in one place (``campaigns.load_facts``)."""

    settings: StoreSettings
    store_mode: str
    live_since: datetime | None
    detected_at: datetime
    score: float | None
    arm: str
    fingerprint: str
    cart_fingerprint: str
    cart_status: str
    items: int
    address: str | None
    email_hash: str | None
    cart_email_hash: str | None
    is_bot: bool
    ordered_at: datetime | None
    pending_order_at: datetime | None
    suppressed_by: str | None
    consent: bool | None
    consent_basis: str | None
    is_customer: bool
    stopped_by_complaints: bool = False


@dataclass(frozen=True)
class Failure:
    """Why not: a reason (see ``REASONS``), and whether that is the last word for this step."""

    reason: str
    final: bool = True


Check = Callable[[Facts, datetime], Failure | None]

#: Every reason with the sentence that explains it.
REASONS = {
    "module_off": "The module is switched off for this store.",
    "store_paused": "The store is paused; nothing is sent until it is live again.",
    "cart_gone": "The cart was deleted or merged into another one.",
    "cart_changed": "The cart was changed after it had been left, so this episode is over.",
    "cart_inactive": "The shop says that this cart can't be bought any more.",
    "cart_empty": "The cart has no items any more.",
    "ordered": "The customer has ordered since.",
    "payment_pending": "An order of this customer waits for its payment; nothing is sent for an hour.",
    "bot": "The cart was filled by a crawler, not by a customer.",
    "address_wrong": "The address is not one that can be written to.",
    "role_address": "The address belongs to a role (such as info@), not to a person.",
    "suppressed": "This person is not to be written to.",
    "no_consent": "There is no consent to marketing mail that the store's consent policy asks for.",
    "below_score": "The intent score is below the store's minimum.",
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
        trail.append({"check": name, "passed": failure is None})
        if failure is not None:
            return failure, trail
    return None, trail


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


def _has_sender(facts: Facts, now: datetime) -> Failure | None:
    complete = facts.settings.sender_address and facts.settings.postal_address
    return None if complete or facts.store_mode == "observing" else Failure("sender_missing", final=False)


def _no_complaint_stop(facts: Facts, now: datetime) -> Failure | None:
    return Failure("complaints", final=False) if facts.stopped_by_complaints else None


def _not_held_out(facts: Facts, now: datetime) -> Failure | None:
    return Failure("held_out") if facts.arm == "holdout" else None


#: In this order; the hold-out comes last, so that it is compared with people who would have been written to.
CHECKS: tuple[tuple[str, Check], ...] = (
    ("enabled", _enabled),
    ("not_paused", _not_paused),
    ("cart_is_there", _cart_is_there),
    ("not_ordered", _not_ordered),
    ("no_pending_order", _no_pending_order),
    ("cart_is_unchanged", _cart_is_unchanged),
    ("is_a_person", _is_a_person),
    ("not_suppressed", _not_suppressed),
    ("scores_enough", _scores_enough),
    ("has_consent", _has_consent),
    ("left_while_live", _left_while_live),
    ("has_sender", _has_sender),
    ("no_complaint_stop", _no_complaint_stop),
    ("not_held_out", _not_held_out),
)
