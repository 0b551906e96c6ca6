"""Whether a message carries a coupon and of how many percent: pure, with the reason and the values behind it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from recovery.money import digits_of, format_money, to_decimal
from recovery.store_settings import StoreSettings

OFFERS_OF_A_HABIT = 2


@dataclass(frozen=True)
class CouponFacts:
    """Everything the verdict rests on; ``value`` is the cart's in minor units of ``currency``, the store's own."""

    settings: StoreSettings
    step: int
    arm: str
    score: float | None
    value: int | None
    currency: str
    cart_currency: str
    payment_failed: bool
    own_codes: bool
    last_offer_at: datetime | None
    unanswered_offers: int
    has_source: bool


@dataclass(frozen=True)
class Verdict:
    """So many percent (0: no coupon), the reason, the values its sentence names, every check with its value."""

    percent: int
    reason: str
    values: dict[str, Any] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)


#: Every reason with its sentence; the values come with the verdict.
COUPON_REASONS = {
    "offered": "Score {score} and a cart of {value} get {percent} % by the store's coupon table.",
    "same_again": "It carries the coupon of {percent} % that this cart has already.",
    "coupons_off": "Coupons are switched off for this store.",
    "step_without": "This message is one that carries no coupon.",
    "no_source": "The store has no way to get coupons: no call-back, not in Magento, and no loaded codes.",
    "held_out": "This person is in the hold-out group.",
    "payment_failed": "A payment failed; the mail is about that, not about a discount.",
    "own_code": "The cart already has a code of the customer's own.",
    "currency_unknown": "The cart is in {cart_currency} and the shop did not tell its value in {currency}.",
    "cart_too_small": "The cart is worth {value}; coupons begin at {minimum}.",
    "had_one": "This person got a coupon on {last_offer}; one in {days} days is the most.",
    "habit": "This person left {offers} coupons of the last {days} days without an order.",
    "not_in_table": "Score {score} and a cart of {value} get nothing by the store's coupon table.",
    "margin": "The table says {percent} %, but that would leave less than the margin floor of {floor} %.",
    "maximum_zero": "The store's maximum discount is 0 %.",
    "budget_spent": "The budget of {month} can't cover another {amount}.",
    "no_code_left": "No loaded code of at most {percent} % is left.",
    "coupon_over": "The coupon of this cart is over ({status}); there is one at most.",
    "shop_refused": "The shop refused the coupon: {error}.",
    "shop_away": "The shop did not take the coupon within {minutes} minutes: {error}.",
}


def sentence(reason: str, values: dict[str, Any]) -> str:
    """The reason in words; one of a newer version as it is called."""
    known = COUPON_REASONS.get(reason)
    return known.format_map(_Lenient(values)) if known else reason


class _Lenient(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def decide(facts: CouponFacts, now: datetime) -> Verdict:
    """The verdict: the first reason against a coupon, or the percent of the table under its caps."""
    checks: list[dict[str, Any]] = []
    for name, value, holds in _gates(facts, now):
        checks.append({"check": name, "passed": not holds, "value": value})
        if holds:
            return Verdict(0, name, _values(facts, now), checks)
    percent = table_percent(facts.settings, facts.score, facts.value or 0, facts.currency)
    values = _values(facts, now) | {"percent": percent}
    checks.append({"check": "table", "passed": percent > 0, "value": percent})
    if percent == 0:
        return Verdict(0, "not_in_table", values, checks)
    for name, ceiling in (("maximum_zero", facts.settings.coupon_max_percent), ("margin", _margin_cap(facts.settings))):
        if ceiling is not None:
            checks.append({"check": name, "passed": ceiling > 0, "value": ceiling})
            percent = min(percent, ceiling)
        if percent <= 0:
            return Verdict(0, name, values, checks)
    return Verdict(percent, "offered", values | {"percent": percent}, checks)


def table_percent(settings: StoreSettings, score: float | None, value: int, currency: str) -> int:
    """The percent of the first band that covers this score and value (minor units), 0 where none does."""
    worth = to_decimal(value, digits_of(currency))
    if score is None:
        return 0
    return next((band.percent for band in settings.coupon_bands if band.covers(score, worth)), 0)


def worst_case(value: int, percent: int) -> int:
    """The most that ``percent`` of a cart can cost, in minor units, rounded up."""
    return -(-value * percent // 100)


def _gates(facts: CouponFacts, now: datetime) -> list[tuple[str, Any, bool]]:
    """Each reason against a coupon, the value it looks at, and whether it holds."""
    settings = facts.settings
    within = facts.last_offer_at is not None and now - facts.last_offer_at < timedelta(days=settings.coupon_person_days)
    value = facts.value if facts.value is not None else 0
    minimum = Decimal(str(settings.coupon_min_cart_value))
    return [
        ("coupons_off", settings.dynamic_coupons, not settings.dynamic_coupons),
        ("step_without", facts.step + 1, not settings.may_carry_coupon(facts.step)),
        ("held_out", facts.arm, facts.arm == "holdout"),
        ("no_source", facts.has_source, not facts.has_source),
        ("payment_failed", facts.payment_failed, facts.payment_failed),
        ("own_code", facts.own_codes, facts.own_codes),
        ("currency_unknown", facts.cart_currency, facts.value is None),
        ("cart_too_small", facts.value, to_decimal(value, digits_of(facts.currency)) < minimum),
        ("habit", facts.unanswered_offers, facts.unanswered_offers >= OFFERS_OF_A_HABIT),
        ("had_one", facts.last_offer_at and facts.last_offer_at.isoformat(), within),
    ]


def _values(facts: CouponFacts, now: datetime) -> dict[str, Any]:
    """What the sentences name, written for people."""
    settings, currency = facts.settings, facts.currency
    digits = digits_of(currency)
    minimum = int(Decimal(str(settings.coupon_min_cart_value)).scaleb(digits))
    habit = facts.unanswered_offers >= OFFERS_OF_A_HABIT
    return {
        "score": "none" if facts.score is None else f"{facts.score:.2f}",
        "value": "?" if facts.value is None else format_money(facts.value, currency, "en", digits),
        "minimum": format_money(minimum, currency, "en", digits),
        "currency": currency,
        "cart_currency": facts.cart_currency,
        "last_offer": f"{facts.last_offer_at:%Y-%m-%d}" if facts.last_offer_at else "",
        "offers": facts.unanswered_offers,
        "days": settings.coupon_habit_days if habit else settings.coupon_person_days,
        "floor": settings.coupon_margin_floor,
    }


def _margin_cap(settings: StoreSettings) -> int | None:
    """The most whole percent that leave the margin floor: a price of 100 with margin m earns m - d of 100 - d."""
    margin, floor = settings.coupon_gross_margin, settings.coupon_margin_floor
    if margin is None or floor is None:
        return None
    if floor >= 100:
        return 0
    left = (Decimal(str(margin)) - Decimal(str(floor))) / (100 - Decimal(str(floor))) * 100
    return max(0, int(left))
