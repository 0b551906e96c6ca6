"""The intent index: bounded, additive, rising with the checkout, and standing where its anchors say."""

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery.heuristic import CartFacts, score
from recovery.store_settings import REASON_CODES

STAGES = ("cart", "contact", "shipping", "payment", "review")
facts = st.builds(
    CartFacts,
    total=st.integers(-(10**15), 10**15),
    stage=st.sampled_from(STAGES),
    products=st.integers(0, 500),
    hour=st.integers(0, 23),
    median_total=st.none() | st.integers(0, 10**15),
    registered=st.booleans(),
    past_orders=st.integers(0, 10**6),
    earlier_abandonments=st.integers(0, 10**6),
    coupon_tried=st.booleans(),
    discount=st.integers(0, 10**15),
    shipping=st.none() | st.integers(-(10**6), 10**15),
    out_of_stock=st.integers(0, 500),
    same_parent=st.booleans(),
    payment_failed=st.booleans(),
    stated_reason=st.none() | st.sampled_from(REASON_CODES),
)
#: A guest with a known address whose cart has the store's median value.
GUEST = CartFacts(total=10_000, stage="cart", products=1, hour=12, median_total=10_000)


@settings(max_examples=300, database=None, deadline=None)
@given(facts)
def test_a_score_is_bounded_additive_and_has_a_reason(given_facts: CartFacts) -> None:
    result = score(given_facts)
    assert 0 <= result.value <= 1
    assert math.isclose(math.fsum(part["points"] for part in result.contributions), result.value, abs_tol=1e-9)
    assert result.reason_code in REASON_CODES
    assert score(given_facts) == result
    assert all(part["points"] and part["signal"] for part in result.contributions)


@settings(max_examples=200, database=None, deadline=None)
@given(facts)
def test_the_further_the_checkout_the_higher(given_facts: CartFacts) -> None:
    values = [score(replace(given_facts, stage=stage)).value for stage in STAGES]
    assert values == sorted(values)


@settings(max_examples=200, database=None, deadline=None)
@given(facts, st.integers(0, 20))
def test_more_abandonments_are_never_better(given_facts: CartFacts, more: int) -> None:
    fewer, worse = replace(given_facts, earlier_abandonments=more), replace(given_facts, earlier_abandonments=more + 1)
    assert score(worse).value <= score(fewer).value


@pytest.mark.parametrize(("stage", "value"), [("cart", 0.40), ("contact", 0.50), ("shipping", 0.58), ("payment", 0.70)])
@pytest.mark.parametrize("median", [10_000, None])
def test_the_anchors(stage: str, value: float, median: int | None) -> None:
    guest = replace(GUEST, stage=stage, median_total=median)
    assert score(guest).value == pytest.approx(value, abs=0.03)
    assert score(replace(guest, registered=True)).value - score(guest).value == pytest.approx(0.05)
    assert score(replace(guest, earlier_abandonments=2)).value - score(guest).value == pytest.approx(-0.10)


def test_half_to_three_quarters_of_ordinary_carts_reach_the_usual_minimum() -> None:
    """A mix as shops see it among carts whose address is known: most stop early, few at the payment."""
    dice = random.Random(5)
    reached = 0
    for _ in range(4000):
        total = int(10_000 * math.exp(dice.gauss(0, 0.7)))
        ordinary = CartFacts(
            total=total,
            stage=dice.choices(STAGES, (34, 30, 18, 12, 6))[0],
            products=dice.choices((1, 2, 3, 4, 6, 12), (45, 25, 13, 9, 6, 2))[0],
            hour=dice.choices(range(24), (1, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 9, 9, 8, 5, 2))[0],
            median_total=10_000,
            registered=dice.random() < 0.35,
            past_orders=dice.choices((0, 1, 3), (75, 15, 10))[0],
            earlier_abandonments=dice.choices((0, 1, 2, 3), (60, 22, 10, 8))[0],
            coupon_tried=dice.random() < 0.1,
            out_of_stock=int(dice.random() < 0.04),
            payment_failed=dice.random() < 0.02,
        )
        reached += score(ordinary).value >= 0.45
    assert 0.5 <= reached / 4000 <= 0.75


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, "other"),
        ({"stated_reason": "returns_policy", "payment_failed": True}, "returns_policy"),
        ({"payment_failed": True, "coupon_tried": True}, "technical_error"),
        ({"coupon_tried": True}, "price_sensitivity"),
        ({"coupon_tried": True, "discount": 100}, "other"),
        ({"same_parent": True}, "product_fit"),
        ({"shipping": 801}, "shipping_cost"),
        ({"shipping": 800}, "other"),
        ({"stage": "contact"}, "checkout_friction"),
        ({"stage": "shipping"}, "shipping_speed"),
        ({"stage": "payment"}, "payment_options"),
        ({"stage": "review"}, "trust_security"),
        ({"total": 20_000}, "timing_deferred"),
        ({"total": 19_999}, "other"),
        ({"products": 3}, "comparison"),
    ],
    ids=str,
)
def test_the_likeliest_reason(change: dict[str, object], reason: str) -> None:
    assert score(replace(GUEST, **change)).reason_code == reason  # type: ignore[arg-type]


def test_a_cart_that_can_not_be_bought_hardly_wants_a_mail() -> None:
    assert score(replace(GUEST, out_of_stock=1)).value < 0.2
    assert score(replace(GUEST, products=3, out_of_stock=1)).value > 0.3
