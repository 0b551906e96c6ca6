"""Each reason not to write, alone and pure."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recovery.eligibility import CHECKS, REASONS, Facts, first_failure
from recovery.store_settings import StoreSettings
from tests.shop import ADDRESS, MORNING, READY

SETTINGS = StoreSettings.model_validate(READY | {"min_intent_score": 0.45})
FINE = Facts(
    settings=SETTINGS,
    store_mode="live",
    live_since=MORNING - timedelta(days=1),
    detected_at=MORNING,
    score=0.45,
    arm="treatment",
    fingerprint="f",
    cart_fingerprint="f",
    cart_status="active",
    items=1,
    address=ADDRESS,
    email_hash="h",
    cart_email_hash="h",
    is_bot=False,
    ordered_at=None,
    pending_order_at=None,
    suppressed_by=None,
    consent=None,
    consent_basis=None,
    is_customer=False,
)


def policy(name: str | None, **more: Any) -> StoreSettings:
    return SETTINGS.model_copy(update={"consent_policy": name} | more)


def test_a_fine_cart_passes_every_check() -> None:
    failure, trail = first_failure(FINE, MORNING)
    assert failure is None
    assert [part["check"] for part in trail] == [name for name, _ in CHECKS]
    assert all(part["passed"] for part in trail)


@pytest.mark.parametrize(
    ("change", "reason", "final"),
    [
        ({"settings": policy("off", enabled=False)}, "module_off", False),
        ({"store_mode": "paused"}, "store_paused", False),
        ({"cart_status": "deleted"}, "cart_gone", True),
        ({"cart_status": "merged"}, "cart_gone", True),
        ({"cart_status": "inactive"}, "cart_inactive", False),
        ({"items": 0}, "cart_empty", True),
        ({"cart_status": "ordered"}, "ordered", True),
        ({"ordered_at": MORNING}, "ordered", True),
        ({"pending_order_at": MORNING - timedelta(minutes=59)}, "payment_pending", False),
        ({"cart_fingerprint": "g"}, "cart_changed", True),
        ({"cart_email_hash": "i"}, "cart_changed", True),
        ({"is_bot": True}, "bot", True),
        ({"address": "x@storebotmail.joonix.net"}, "bot", True),
        ({"address": None}, "address_wrong", True),
        ({"address": "nobody"}, "address_wrong", True),
        ({"address": "Info@example.com"}, "role_address", True),
        ({"address": "no-reply+x@example.com"}, "role_address", True),
        ({"suppressed_by": "bounce"}, "suppressed", True),
        ({"settings": policy(None)}, "no_consent", False),
        ({"settings": policy("require"), "is_customer": True}, "no_consent", False),
        ({"settings": policy("require"), "consent": False}, "no_consent", False),
        ({"settings": policy("require"), "consent": True, "consent_basis": "soft_opt_in"}, "no_consent", False),
        ({"settings": policy("soft_opt_in")}, "no_consent", False),
        ({"settings": policy("soft_opt_in"), "is_customer": True, "consent": False}, "no_consent", False),
        ({"score": 0.4499}, "below_score", True),
        ({"score": None}, "below_score", True),
        ({"live_since": MORNING + timedelta(seconds=1)}, "before_live", True),
        ({"settings": policy("off", sender_address=None)}, "sender_missing", False),
        ({"settings": policy("off", postal_address="")}, "sender_missing", False),
        ({"arm": "holdout"}, "held_out", True),
    ],
    ids=lambda value: str(value)[:50],
)
def test_each_reason_alone(change: dict[str, Any], reason: str, final: bool) -> None:
    failure, trail = first_failure(replace(FINE, **change), MORNING)
    assert failure is not None
    assert (failure.reason, failure.final) == (reason, final)
    assert [part["passed"] for part in trail].count(False) == 1
    assert trail[-1]["passed"] is False
    assert REASONS[reason].endswith(".")


@pytest.mark.parametrize(
    "change",
    [
        {"pending_order_at": MORNING - timedelta(minutes=60)},
        {"live_since": MORNING},
        {"score": 1.0},
        {"settings": policy("require"), "consent": True, "consent_basis": "consent"},
        {"settings": policy("soft_opt_in"), "is_customer": True},
        {"settings": policy("soft_opt_in"), "consent": True, "consent_basis": "soft_opt_in"},
        {"store_mode": "observing", "live_since": MORNING + timedelta(days=1)},
        {"store_mode": "observing", "settings": policy("off", sender_address=None)},
        {"address": "information@example.com"},
    ],
    ids=lambda value: str(value)[:50],
)
def test_the_other_side_of_the_line(change: dict[str, Any]) -> None:
    assert first_failure(replace(FINE, **change), MORNING)[0] is None


def test_whoever_is_held_out_would_have_been_written_to() -> None:
    assert CHECKS[-1][0] == "not_held_out"
    failure, _ = first_failure(replace(FINE, arm="holdout", score=0.1), MORNING)
    assert failure is not None
    assert failure.reason == "below_score"
