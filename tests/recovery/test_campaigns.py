"""What is decided about a due step, written down once, and changed only when the answer changes."""

import asyncio
from datetime import timedelta
from typing import Any

from recovery import jobs
from recovery.models import Abandonment, Decision
from tests.shop import ADDRESS, READY, Shop, item
from tests.smtp_sink import SmtpSink


async def decisions() -> list[tuple[int, str, str | None, bool]]:
    rows = await Decision.all().order_by("id")
    return [(row.step, row.outcome, row.reason, row.terminal_key is not None) for row in rows]


def consent(shop: Shop, marketing: bool) -> dict[str, Any]:
    said = {"marketing": marketing, "at": shop.now.isoformat(), "source": "newsletter"}
    return {"email": ADDRESS, "consent": said}


async def test_observing_decides_everything_and_sends_nothing(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.go("observing")
    await live.cart()
    await live.abandon()
    assert (await jobs.email(live.runtime)).counts == {"would_send": 1}
    assert await decisions() == [(0, "would_send", None, True)]
    assert await live.emails() == []
    assert smtp_sink.connections == 0
    # Going live afterwards takes only what falls idle from then on.
    live.clock.advance(minutes=1)
    await live.go("live")
    assert (await jobs.email(live.runtime)).counts == {}
    await live.cart("2", customer={"email": "eva@example.com"})
    await live.abandon()
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}
    assert [mail.recipients for mail in smtp_sink.messages] == [("eva@example.com",)]


async def test_a_cart_detected_before_going_live_is_skipped(shop: Shop) -> None:
    await shop.set(**READY)
    await shop.cart()
    await shop.abandon()
    shop.clock.advance(seconds=1)
    await shop.go("live")
    assert await shop.plan() == {"skipped": 1}
    assert await decisions() == [(0, "skipped", "before_live", True)]
    assert (await shop.episode()).status == "skipped"


async def test_held_out_people_get_a_decision_and_no_mail(live: Shop) -> None:
    await live.cart()
    await live.abandon()
    await Abandonment.all().update(arm="holdout")
    assert await live.plan() == {"held_out": 1}
    assert await decisions() == [(0, "held_out", "held_out", True)]
    assert await live.emails() == []


async def test_waiting_is_told_once_and_ends_when_its_reason_ends(live: Shop) -> None:
    await live.set(consent_policy="require")
    await live.cart()
    await live.abandon()
    for _ in range(4):
        assert await live.plan() == {"waiting": 1}
        assert await live.plan() == {}
        live.clock.advance(hours=7)
    assert await decisions() == [(0, "waiting", "no_consent", False)]
    assert await live.plan() == {"waiting": 1}
    await live.tell("consent.updated", consent(live, True))
    assert await live.plan() == {"queued": 1}
    assert await decisions() == [(0, "waiting", "no_consent", False), (0, "queued", None, False)]


async def test_an_objection_is_final_and_a_later_agreement_lifts_it(live: Shop) -> None:
    await live.cart()
    await live.abandon()
    await live.tell("consent.updated", consent(live, False))
    assert await live.plan() == {"skipped": 1}
    assert (await decisions())[-1] == (0, "skipped", "suppressed", True)
    live.clock.advance(minutes=1)
    await live.tell("consent.updated", consent(live, True))
    await live.cart("2")
    await live.abandon()
    assert await live.plan() == {"queued": 1}


async def test_an_objection_is_not_outlived_by_an_agreement_from_the_future(live: Shop) -> None:
    """The shop's clock runs ahead; what was said later must still count as later."""
    ahead = consent(live, True)
    ahead["consent"]["at"] = (live.now + timedelta(days=400)).isoformat()
    await live.tell("consent.updated", ahead)
    live.clock.advance(minutes=5)
    await live.tell("consent.updated", consent(live, False))
    await live.cart()
    await live.abandon()
    assert await live.plan() == {"skipped": 1}


async def test_of_two_words_at_the_same_moment_the_refusal_counts(live: Shop) -> None:
    await live.set(consent_policy="require")
    for marketing in (False, True):
        await live.tell("consent.updated", consent(live, marketing))
    await live.cart()
    await live.abandon()
    assert await live.plan() == {"skipped": 1}


async def test_a_pending_order_elsewhere_holds_for_an_hour(live: Shop) -> None:
    await live.cart()
    await live.abandon()
    await live.order(quote_id="99", state="pending")
    assert await live.plan() == {"waiting": 1}
    assert (await decisions())[-1][2] == "payment_pending"
    live.clock.advance(minutes=61)
    assert await live.plan() == {"queued": 1}


async def test_steps_follow_one_another(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(steps=[{"delay_minutes": 0}, {"delay_minutes": 60}, {"delay_minutes": 120}])
    await live.cart()
    await live.abandon()
    for sent in (1, 2, 3):
        await jobs.email(live.runtime)
        await jobs.email(live.runtime)
        assert len(smtp_sink.messages) == sent
        live.clock.advance(minutes=59)
        await jobs.email(live.runtime)
        assert len(smtp_sink.messages) == sent
        live.clock.advance(minutes=1, seconds=1)
    live.clock.advance(days=1)
    await jobs.email(live.runtime)
    assert len(smtp_sink.messages) == 3
    assert len({mail.message["Message-ID"] for mail in smtp_sink.messages}) == 3
    assert [(step, outcome) for step, outcome, _, _ in await decisions()] == [
        (step, outcome) for step in range(3) for outcome in ("queued", "sent")
    ]


async def test_a_later_step_that_is_skipped_leaves_the_episode_contacted(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(steps=[{"delay_minutes": 0}, {"delay_minutes": 60}])
    await live.cart()
    await live.abandon()
    await jobs.email(live.runtime)
    assert (await live.episode()).status == "contacted"
    await live.tell("email.complained", {"email": ADDRESS, "at": live.now.isoformat()})
    live.clock.advance(minutes=61)
    assert (await jobs.email(live.runtime)).counts == {"skipped": 1}
    episode = await live.episode()
    assert (episode.status, episode.due_at) == ("contacted", None)
    assert len(smtp_sink.messages) == 1


async def test_two_planners_at_once_make_one_mail(live: Shop) -> None:
    for number in range(10):
        await live.cart(str(number), customer={"email": f"a{number}@example.com"})
    await live.abandon()
    counts = await asyncio.gather(*(live.plan() for _ in range(4)))
    assert sum(part.get("queued", 0) for part in counts) == 10
    assert len(await live.emails()) == 10
    assert len(await decisions()) == 10


async def test_a_batch_bounds_the_planning(live: Shop) -> None:
    for number in range(5):
        await live.cart(str(number), customer={"email": f"a{number}@example.com"})
    await live.abandon()
    assert await live.plan(limit=2) == {"queued": 2}
    assert (await jobs.email(live.runtime, jobs.Scope(dry_run=True))).counts == {"ready": 2, "queued": 3}
    assert len(await live.emails()) == 2


async def test_a_role_address_and_a_bot_are_skipped_by_name(live: Shop) -> None:
    await live.cart("1", customer={"email": "info@example.com"})
    await live.cart("2", customer={"email": "x@example.com"}, is_bot=True)
    await live.cart("3", customer={"email": "y@example.com"}, items=[item("a")])
    await live.abandon()
    assert await live.plan() == {"skipped": 2, "queued": 1}
    assert sorted(reason or "" for _, _, reason, _ in await decisions()) == ["", "bot", "role_address"]


async def test_a_complaint_and_a_bounce_and_their_lifting(live: Shop) -> None:
    said = {"email": ADDRESS, "at": live.now.isoformat()}
    await live.tell("email.bounced", said | {"hard": False})
    await live.cart("1")
    await live.abandon()
    assert await live.plan() == {"queued": 1}
    await live.tell("email.bounced", said | {"hard": True})
    (mail,) = await live.emails()
    assert (mail.status, mail.closed_reason) == ("suppressed", "bounce")
    live.clock.advance(minutes=1)
    # An ordinary agreement does not lift it; one confirmed by mail to the address itself does.
    await live.tell("consent.updated", consent(live, True))
    await live.cart("2")
    await live.abandon()
    assert await live.plan() == {"skipped": 1}
    live.clock.advance(minutes=1)
    confirmed = consent(live, True)
    confirmed["consent"]["source"] = "double_opt_in"
    await live.tell("consent.updated", confirmed)
    await live.cart("3")
    await live.abandon()
    assert await live.plan() == {"queued": 1}
