"""Whose word counts: consent by policy and basis, objections, and what only the person can take back."""

from typing import Any

import pytest

from recovery.models import Suppression
from tests.shop import Shop


def said(shop: Shop, marketing: bool, *, basis: str = "consent", source: str = "checkout_box") -> Any:
    """What a person says, a minute after the time before."""
    return {"marketing": marketing, "basis": basis, "source": source, "at": shop.clock.advance(minutes=1).isoformat()}


@pytest.mark.parametrize(
    ("policy", "basis", "outcome"),
    [
        ("require", "consent", {"queued": 1}),
        ("require", "soft_opt_in", {"waiting": 1}),
        ("soft_opt_in", "soft_opt_in", {"queued": 1}),
        ("soft_opt_in", "consent", {"queued": 1}),
    ],
)
async def test_the_strictest_policy_asks_for_a_consent_that_was_given(
    live: Shop, policy: str, basis: str, outcome: dict[str, int]
) -> None:
    await live.set(consent_policy=policy)
    await live.cart(consent=said(live, True, basis=basis))
    await live.abandon()
    assert await live.plan() == outcome


async def test_a_consent_that_comes_later_lets_the_waiting_mail_go_at_once(live: Shop) -> None:
    await live.set(consent_policy="require")
    await live.cart()
    await live.abandon()
    assert await live.plan() == {"waiting": 1}
    told = {"email": "ada@example.com", "consent": said(live, True, source="newsletter")}
    cart = await live.stored()
    await live.tell("consent.updated", told | {"email": cart.email})
    assert await live.plan() == {"queued": 1}


async def test_an_objection_suppresses_at_once_and_a_later_agreement_lifts_it(live: Shop) -> None:
    cart_email = (await live.queue()).to_address
    await live.tell("consent.updated", {"email": cart_email, "consent": said(live, False)})
    assert [(email.status, email.closed_reason) for email in await live.emails()] == [("suppressed", "objection")]
    assert await Suppression.filter(lifted_at=None).count() == 1
    await live.tell("consent.updated", {"email": cart_email, "consent": said(live, True)})
    assert await Suppression.filter(lifted_at=None).count() == 0


async def test_only_a_double_opt_in_lifts_a_complaint(live: Shop) -> None:
    address = (await live.queue()).to_address
    at = live.now.isoformat()
    await live.tell("email.complained", {"email": address, "at": at})
    await live.tell("consent.updated", {"email": address, "consent": said(live, True)})
    assert await Suppression.filter(lifted_at=None, cause="complaint").count() == 1
    confirmed = said(live, True, source="double_opt_in")
    await live.tell("consent.updated", {"email": address, "consent": confirmed})
    assert await Suppression.filter(lifted_at=None).count() == 0


async def test_of_two_words_at_one_moment_the_refusal_counts(live: Shop) -> None:
    address = (await live.queue()).to_address
    refused = said(live, False)
    for consent in (refused, refused | {"marketing": True}):
        await live.tell("consent.updated", {"email": address, "consent": consent})
    assert await Suppression.filter(lifted_at=None, cause="objection").count() == 1


async def test_a_word_about_consent_brings_no_later_message_forward(live: Shop) -> None:
    await live.set(consent_policy="require", steps=[{"delay_minutes": 0}, {"delay_minutes": 1440}])
    first = await live.queue(consent=said(live, True))
    assert (await live.deliver()).counts == {"sent": 1}
    due_at = (await live.episode()).due_at
    await live.tell("consent.updated", {"email": first.to_address, "consent": said(live, True, source="newsletter")})
    assert await live.plan() == {}
    assert (await live.episode()).due_at == due_at
    assert len(await live.emails()) == 1
    live.clock.advance(days=1)
    assert await live.plan() == {"queued": 1}
