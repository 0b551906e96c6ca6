"""The verdict about a coupon: each reason alone, the table at its edges, the caps."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recovery.coupons_rule import COUPON_REASONS, CouponFacts, decide, sentence, worst_case
from recovery.coupons_shop import new_code
from recovery.store_settings import SettingRefused, StoreSettings, merge
from tests.shop import MORNING


def settings(**values: Any) -> StoreSettings:
    return StoreSettings.model_validate(values)


FINE = CouponFacts(
    settings=settings(),
    step=0,
    arm="treatment",
    score=0.5,
    value=20000,
    currency="EUR",
    cart_currency="EUR",
    payment_failed=False,
    own_codes=False,
    last_offer_at=None,
    unanswered_offers=0,
    has_source=True,
)


@pytest.mark.parametrize(
    ("score", "value", "percent"),
    [
        (0.0, 20000, 5),
        (0.5499, 20000, 5),
        (0.55, 20000, 3),
        (0.6999, 20000, 3),
        (0.70, 20000, 0),
        (1.0, 20000, 0),
        (0.5, 9999, 0),
        (0.5, 10000, 5),
        (None, 20000, 0),
    ],
)
def test_the_table_of_an_untouched_store(score: float | None, value: int, percent: int) -> None:
    verdict = decide(replace(FINE, score=score, value=value), MORNING)
    assert verdict.percent == percent


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"settings": settings(dynamic_coupons=False)}, "coupons_off"),
        ({"settings": settings(steps=[{"delay_minutes": 0, "coupon": False}])}, "step_without"),
        ({"settings": settings(steps=[{"delay_minutes": 0}, {"delay_minutes": 9}])}, "step_without"),
        ({"arm": "holdout"}, "held_out"),
        ({"has_source": False}, "no_source"),
        ({"payment_failed": True}, "payment_failed"),
        ({"own_codes": True}, "own_code"),
        ({"value": None, "cart_currency": "USD"}, "currency_unknown"),
        ({"value": 9999}, "cart_too_small"),
        ({"unanswered_offers": 2}, "habit"),
        ({"last_offer_at": MORNING - timedelta(days=89)}, "had_one"),
        ({"score": 0.9}, "not_in_table"),
        ({"settings": settings(coupon_max_percent=0)}, "maximum_zero"),
        ({"settings": settings(coupon_gross_margin=20.0, coupon_margin_floor=20.0)}, "margin"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_each_reason_alone(change: dict[str, Any], reason: str) -> None:
    verdict = decide(replace(FINE, **change), MORNING)
    assert (verdict.percent, verdict.reason) == (0, reason)
    assert [check["passed"] for check in verdict.checks].count(False) == 1
    told = sentence(verdict.reason, verdict.values)
    assert "?" not in told
    assert told.endswith(".")


@pytest.mark.parametrize(
    ("change", "percent"),
    [
        ({"last_offer_at": MORNING - timedelta(days=90)}, 5),
        ({"unanswered_offers": 1}, 5),
        ({"cart_currency": "USD"}, 5),
        ({"settings": settings(coupon_max_percent=4)}, 4),
        ({"settings": settings(coupon_table="only_high_intent")}, 0),
        ({"settings": settings(coupon_table="only_high_intent"), "score": 0.7}, 5),
        # A price of 100 with margin 22 earns 19 of 97 at 3 %, which is 19.6 %; at 2 % it is 20.4 %.
        ({"settings": settings(coupon_gross_margin=22.0, coupon_margin_floor=20.0)}, 2),
        ({"settings": settings(coupon_table=[{"value_from": 50, "value_below": 200.01, "percent": 2}])}, 2),
        ({"settings": settings(coupon_table=[{"value_from": 50, "value_below": 200, "percent": 2}])}, 0),
        ({"settings": settings(coupon_min_cart_value=0), "currency": "JPY", "value": 150}, 5),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_other_side_of_the_line(change: dict[str, Any], percent: int) -> None:
    assert decide(replace(FINE, **change), MORNING).percent == percent


def test_every_reason_has_a_sentence_and_an_unknown_one_is_told_as_it_is() -> None:
    assert all(text.endswith(".") for text in COUPON_REASONS.values())
    assert sentence("of_tomorrow", {}) == "of_tomorrow"


def test_the_worst_case_is_rounded_up() -> None:
    assert [worst_case(value, 5) for value in (0, 1, 20, 21, 45999)] == [0, 1, 1, 2, 2300]


def test_codes_are_readable_and_not_guessed() -> None:
    codes = {new_code("BACK") for _ in range(2000)}
    assert len(codes) == 2000
    letters = {letter for code in codes for letter in code.removeprefix("BACK-").replace("-", "")}
    assert len(letters) == 31
    assert not letters & set("01OIL")
    assert 31**13 > 2**60
    assert new_code("").count("-") == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"coupon_table": "generous"},
        {"coupon_table": [{"percent": 101}]},
        {"coupon_prefix": "zażółć"},
        {"coupon_callback_url": "ftp://shop.example/x"},
        {"coupon_callback_url": "https://user:key@shop.example/x"},
        {"coupon_max_percent": 101},
    ],
)
def test_an_unfit_setting_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingRefused):
        merge({}, changes, {})
