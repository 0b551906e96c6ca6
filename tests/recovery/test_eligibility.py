"""Each reason not to write, alone and pure."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from recovery.bought_elsewhere import Purchase, Sign
from recovery.eligibility import CHECKS, REASONS, Facts, PersonMail, explained, first_failure
from recovery.store_settings import StoreSettings
from tests.shop import ADDRESS, MORNING, READY

#: With every limit at its built-in value but the quiet hours; MORNING is 11:00 in Warsaw.
LIMITS = StoreSettings.model_validate(
    {name: value for name, value in READY.items() if name not in {"mails_per_person", "carts_per_person"}}
    | {"order_cool_off_days": 14}
)
FINE = Facts(
    settings=LIMITS.model_copy(update={"min_intent_score": 0.45}),
    store_mode="live",
    live_since=MORNING - timedelta(days=1),
    zone=ZoneInfo("Europe/Warsaw"),
    abandonment_id=1,
    detected_at=MORNING,
    due_at=MORNING,
    score=0.45,
    arm="treatment",
    fingerprint="f",
    cart_fingerprint="f",
    cart_status="active",
    items=2,
    items_gone=1,
    address=ADDRESS,
    email_hash="h",
    cart_email_hash="h",
    is_bot=False,
    ordered_at=None,
    pending_order_at=None,
    last_order_at=None,
    purchase=None,
    suppressed_by=None,
    consent=None,
    consent_basis=None,
    is_customer=False,
    earlier=None,
    person_mails=(),
)


def bought(sign: Sign, hours_left: float) -> Purchase:
    """An order elsewhere that holds so much longer."""
    return Purchase(sign, MORNING - timedelta(hours=3), MORNING + timedelta(hours=hours_left))


def mails(*told: tuple[int, float]) -> tuple[PersonMail, ...]:
    """Mails of the person: abandonment and hours ago."""
    return tuple(PersonMail(about, MORNING - timedelta(hours=hours)) for about, hours in told)


def policy(name: str | None, **more: Any) -> StoreSettings:
    return LIMITS.model_copy(update={"consent_policy": name} | more)


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
        ({"items": 0, "items_gone": 0}, "cart_empty", True),
        ({"items_gone": 2}, "items_gone", True),
        ({"earlier": "failed"}, "undeliverable", True),
        ({"earlier": "under_way"}, "earlier_under_way", False),
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
        ({"due_at": MORNING - timedelta(hours=72, seconds=1)}, "too_late", True),
        ({"purchase": bought("phone", 48)}, "bought_elsewhere", False),
        ({"purchase": bought("items", 48)}, "bought_elsewhere", False),
        ({"purchase": bought("phone", 0)}, "bought_elsewhere", True),
        ({"last_order_at": MORNING - timedelta(days=12)}, "ordered_lately", False),
        ({"last_order_at": MORNING - timedelta(days=1)}, "ordered_lately", True),
        ({"person_mails": mails((1, 24), (1, 48), (1, 6 * 24))}, "too_often", False),
        ({"person_mails": mails((1, 1), (1, 2), (1, 3))}, "too_often", True),
        ({"person_mails": mails((2, 6 * 24))}, "too_often", False),
        ({"person_mails": mails((2, 1))}, "too_often", True),
        ({"person_mails": (PersonMail(2, MORNING, under_way=True),)}, "too_often", False),
        ({"settings": LIMITS.model_copy(update={"quiet_hours": "11:00-12:00"})}, "quiet_hours", False),
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
        {"items_gone": 1},
        {"due_at": MORNING - timedelta(hours=72)},
        {"purchase": bought("postcode", 0)},
        {"last_order_at": MORNING - timedelta(days=14)},
        {"person_mails": mails((1, 1), (1, 2))},
        {"person_mails": mails((1, 1), (1, 2), (1, 7 * 24))},
        {"person_mails": mails((2, 7 * 24))},
        {"settings": LIMITS.model_copy(update={"mails_per_person": 0}), "person_mails": mails(*[(1, 1)] * 9)},
        {"settings": LIMITS.model_copy(update={"carts_per_person": 0}), "person_mails": mails((2, 1), (3, 1))},
        {"settings": LIMITS.model_copy(update={"quiet_hours": "10:00-11:00"})},
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


@pytest.mark.parametrize(
    ("change", "until"),
    [
        ({"person_mails": mails((1, 10), (1, 100), (1, 150))}, 7 * 24 - 150),
        ({"person_mails": mails((1, 10), (1, 100), (1, 150), (1, 160))}, 7 * 24 - 150),
        ({"person_mails": mails((2, 160), (2, 140))}, 7 * 24 - 140),
        # Both limits are in the way: the later one counts.
        ({"person_mails": mails((1, 10), (2, 120), (1, 150))}, 7 * 24 - 120),
        ({"last_order_at": MORNING - timedelta(days=13)}, 24),
        ({"settings": LIMITS.model_copy(update={"quiet_hours": "10:30-12:15"})}, 1.25),
    ],
)
def test_a_hold_says_when_it_ends(change: dict[str, Any], until: float) -> None:
    facts = replace(FINE, **change)
    failure, trail = first_failure(facts, MORNING)
    assert failure is not None
    ends = MORNING + timedelta(hours=until)
    assert (failure.until, failure.final) == (ends, False)
    assert trail[-1]["until"] == ends.isoformat()
    if "person_mails" in change or "last_order_at" in change:
        # A minute before it ends it holds, and then no more.
        for minutes, holds in ((-1, True), (0, False)):
            then = ends + timedelta(minutes=minutes)
            assert (first_failure(replace(facts, due_at=then), then)[0] is not None) == holds


def test_a_hold_that_outlasts_the_message_is_the_last_word_but_quiet_hours_drop_nothing() -> None:
    late = MORNING - timedelta(hours=71)
    failure, _ = first_failure(replace(FINE, due_at=late, purchase=bought("items", 2)), MORNING)
    assert failure is not None
    assert (failure.final, failure.ends_sequence) == (True, True)
    quiet = LIMITS.model_copy(update={"quiet_hours": "10:30-14:00"})
    failure, _ = first_failure(replace(FINE, due_at=late, settings=quiet), MORNING)
    assert failure is not None
    assert not failure.final


def test_only_too_late_leaves_the_later_messages_their_turn() -> None:
    failure, _ = first_failure(replace(FINE, due_at=MORNING - timedelta(days=4)), MORNING)
    assert failure is not None
    assert (failure.reason, failure.ends_sequence) == ("too_late", False)


def test_every_check_keeps_what_it_looked_at_and_nothing_personal() -> None:
    facts = replace(FINE, purchase=bought("postcode", 0), person_mails=mails((1, 1)))
    _, trail = first_failure(facts, MORNING)
    kept = {part["check"]: part.get("values") for part in trail}
    assert kept["scores_enough"] == {"score": 0.45, "minimum": 0.45}
    assert kept["not_too_often"] == {"days": 7, "mails": 1, "most_mails": 3, "carts": 0, "most_carts": 1}
    assert kept["not_quiet"] == {"hours": "off", "zone": "Europe/Warsaw"}
    assert kept["something_is_left"] == {"lines": 2, "gone": 1}
    assert (kept["not_bought_elsewhere"] or {})["sign"] == "postcode"
    told = json.dumps(trail)
    assert not any(each in told for each in (ADDRESS, '"h"', '"f"'))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"score": 0.41}, "The intent score is below the store's minimum. It is 0.41, the minimum 0.45."),
        (
            {"settings": LIMITS.model_copy(update={"quiet_hours": "10:30-14:00"})},
            "It is quiet time at the store. Quiet is 10:30-14:00 Europe/Warsaw; the mail goes on 2026-11-23 14:00 at "
            "the earliest.",
        ),
        (
            {"person_mails": mails((2, 160))},
            "This person has had as many mails as the store allows. Mails in 7 days: 1 of 3; other carts: 1 of 1 (0: "
            "no limit). There is room again on 2026-11-23 19:00.",
        ),
        (
            {"purchase": bought("phone", 1)},
            "The cart was probably bought under another address. An order of 2026-11-23 08:00 has the same phone; that "
            "holds mails until 2026-11-23 12:00.",
        ),
        ({"arm": "holdout"}, REASONS["held_out"]),
    ],
)
def test_a_reason_is_told_with_its_figures(change: dict[str, Any], words: str) -> None:
    failure, trail = first_failure(replace(FINE, **change), MORNING)
    assert failure is not None
    assert explained(failure.reason, trail, ZoneInfo("Europe/Warsaw")) == words


def test_a_decision_of_an_older_version_is_told_without_figures() -> None:
    kept = [{"check": "scores_enough", "passed": False}]
    assert explained("below_score", kept, ZoneInfo("UTC")) == REASONS["below_score"]
    assert explained("a_reason_of_tomorrow", [], ZoneInfo("UTC")) == "a_reason_of_tomorrow"
