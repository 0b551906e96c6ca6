"""The built-in intent score: named signals that add up, no model needed.

The score is an index of intent from 0 to 1, not a probability. Its anchors: a guest with a known address and a cart
of median value stands at 0.40 in the cart, 0.50 once the contact step is reached, 0.58 at shipping and 0.70 at
payment; being registered adds 0.05, two earlier abandonments without an order take 0.10. The order and size of the
signals follow what is known of carts: by far the strongest is how far the checkout went.
"""

import math
from dataclasses import dataclass
from typing import Any

BASE = 0.40
STAGE = {"cart": 0.0, "contact": 0.10, "shipping": 0.18, "payment": 0.30, "review": 0.34}
HIGH_SHIPPING_SHARE = 0.08
_STATED = {
    "price_sensitivity": -0.03,
    "shipping_cost": -0.03,
    "comparison": -0.05,
    "timing_deferred": -0.05,
    "technical_error": 0.05,
    "payment_options": 0.05,
}
_STAGE_REASON = {
    "contact": "checkout_friction",
    "shipping": "shipping_speed",
    "payment": "payment_options",
    "review": "trust_security",
}


@dataclass(frozen=True)
class CartFacts:
    """What the heuristic looks at; money in minor units of one currency, ``hour`` in the store's time zone.

    ``median_total`` is the store's own median cart, null until enough carts are known or the currency differs.
    """

    total: int
    stage: str
    products: int
    hour: int
    median_total: int | None = None
    registered: bool = False
    past_orders: int = 0
    earlier_abandonments: int = 0
    coupon_tried: bool = False
    discount: int = 0
    shipping: int | None = None
    out_of_stock: int = 0
    same_parent: bool = False
    payment_failed: bool = False
    stated_reason: str | None = None


@dataclass(frozen=True)
class Score:
    """An intent index, its reason code, and the signals that add up to it, each with name, value and points."""

    value: float
    reason_code: str
    contributions: list[dict[str, Any]]


def score(facts: CartFacts) -> Score:
    """The intent index of a cart; the contributions sum to it exactly."""
    signals: list[tuple[str, Any, float]] = [
        ("base", "guest", BASE),
        ("checkout_stage", facts.stage, STAGE[facts.stage]),
        ("cart_value", _share(facts), _value_points(facts)),
        ("products", facts.products, _product_points(facts.products)),
        ("registered", facts.registered, 0.05 if facts.registered else 0.0),
        ("past_orders", facts.past_orders, 0.0 if not facts.past_orders else 0.08 if facts.past_orders > 2 else 0.05),
        ("earlier_abandonments", facts.earlier_abandonments, -min(0.05 * facts.earlier_abandonments, 0.15)),
        ("hour", facts.hour, -0.02 if facts.hour < 6 else 0.0),
        ("coupon_tried", facts.coupon_tried, 0.03 if facts.coupon_tried else 0.0),
        ("out_of_stock", facts.out_of_stock, _stock_points(facts)),
        ("payment_failed", facts.payment_failed, 0.10 if facts.payment_failed else 0.0),
        ("stated_reason", facts.stated_reason, _STATED.get(facts.stated_reason or "", 0.0)),
    ]
    kept = [{"signal": name, "value": value, "points": round(points, 4)} for name, value, points in signals if points]
    total = round(math.fsum(part["points"] for part in kept), 4)
    bounded = min(max(total, 0.0), 1.0)
    if bounded != total:
        kept.append({"signal": "bounds", "value": total, "points": round(bounded - total, 4)})
    return Score(bounded, reason_code(facts), kept)


def reason_code(facts: CartFacts) -> str:
    """The likeliest reason: the store's own word first, then what the cart shows, then the step it stopped at."""
    shipping = facts.shipping or 0
    found = [
        (facts.stated_reason is not None, facts.stated_reason),
        (facts.payment_failed, "technical_error"),
        (facts.coupon_tried and facts.discount == 0, "price_sensitivity"),
        (facts.same_parent, "product_fit"),
        (facts.total > 0 and shipping > HIGH_SHIPPING_SHARE * facts.total, "shipping_cost"),
        (facts.stage in _STAGE_REASON, _STAGE_REASON.get(facts.stage)),
        (facts.median_total is not None and facts.total >= 2 * facts.median_total, "timing_deferred"),
        (facts.products >= 3, "comparison"),
    ]
    return next((code for holds, code in found if holds and code), "other")


def _share(facts: CartFacts) -> float | None:
    return round(facts.total / facts.median_total, 2) if facts.median_total else None


def _value_points(facts: CartFacts) -> float:
    """A cart twice the store's median adds 0.04, half of it takes 0.04; never more than 0.08 either way."""
    if not facts.median_total or facts.total <= 0:
        return 0.0
    return max(-0.08, min(0.08, 0.04 * math.log2(facts.total / facts.median_total)))


def _product_points(products: int) -> float:
    return 0.0 if products <= 1 or products >= 10 else 0.02 if products < 5 else 0.03


def _stock_points(facts: CartFacts) -> float:
    if not facts.out_of_stock:
        return 0.0
    return -0.25 if facts.out_of_stock >= facts.products else -0.08
