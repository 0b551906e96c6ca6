"""What holds a mail back, through planning and again at the point of no return: the sink and the decisions tell."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from recovery import jobs
from recovery.models import Decision, Email
from recovery.stores import registry
from tests.shop import ADDRESS, HOST, Shop, item
from tests.smtp_sink import SmtpSink

PHONE = {"phone_hash": "the-same-phone"}
DAY = timedelta(days=1)


async def decisions() -> list[tuple[int, str, str | None]]:
    return [(row.step, row.outcome, row.reason) for row in await Decision.all().order_by("id")]


async def product(shop: Shop, product_id: str, **told: Any) -> None:
    """Tell a product of the store."""
    whole = {"product_id": product_id, "name": "Jacket", "price": 45999, "currency": "EUR", "in_stock": True} | told
    await shop.tell("product.updated", {"products": [whole]})


async def order_elsewhere(shop: Shop, **told: Any) -> None:
    """The same phone orders under another address."""
    await shop.order("o7", quote_id="77", customer={"email": f"work@{HOST}"} | PHONE, **told)


async def sell_out(shop: Shop) -> None:
    await product(shop, "K-12", in_stock=False)


async def mail_about_another(shop: Shop) -> None:
    """The same person has just had a mail about another cart, and one cart is the most."""
    await shop.set(carts_per_person=1)
    await shop.cart("2", items=[item("other")])
    shop.clock.advance(minutes=31)
    await shop.detect()
    about = await shop.episode("2")
    await Email.create(
        id=uuid.uuid4(), connection_id=about.connection_id, store_id=about.store_id, abandonment_id=about.id, step=0,
        to_address=ADDRESS, email_hash=about.email_hash, status="sent", created_at=shop.now, next_attempt_at=shop.now,
        sent_at=shop.now,
    )  # fmt: skip


async def go_quiet(shop: Shop) -> None:
    await shop.set(quiet_hours="10:00-20:00")


async def cool_off(shop: Shop) -> None:
    """An order from before the cart, whose news come now."""
    placed = (shop.now - DAY).isoformat()
    await shop.order("o8", quote_id="88", placed_at=placed)
    await shop.set(order_cool_off_days=14)


#: What happens, what becomes of a mail then, and why.
HOLDS: list[tuple[Callable[[Shop], Awaitable[None]], str, str]] = [
    (order_elsewhere, "waiting", "bought_elsewhere"),
    (sell_out, "skipped", "items_gone"),
    (mail_about_another, "skipped", "too_often"),
    (go_quiet, "waiting", "quiet_hours"),
    (cool_off, "skipped", "ordered_lately"),
]


@pytest.mark.parametrize(("happens", "outcome", "reason"), HOLDS)
async def test_it_holds_when_a_mail_is_planned(
    live: Shop, smtp_sink: SmtpSink, happens: Any, outcome: str, reason: str
) -> None:
    await live.cart(customer={"email": ADDRESS} | PHONE)
    await live.abandon()
    await happens(live)
    assert (await jobs.email(live.runtime)).counts == {outcome: 1}
    assert await decisions() == [(0, outcome, reason)]
    assert smtp_sink.messages == []


@pytest.mark.parametrize(("happens", "outcome", "reason"), HOLDS)
async def test_it_holds_at_the_point_of_no_return(
    live: Shop, smtp_sink: SmtpSink, happens: Any, outcome: str, reason: str
) -> None:
    mail = await live.queue(customer={"email": ADDRESS} | PHONE)
    smtp_sink.answer(ADDRESS, "rcpt", 250, "OK, after a while", delay=0.4, times=1)
    sending = asyncio.create_task(live.deliver())
    await _until_composed()
    await happens(live)
    counts = (await sending).counts
    assert counts == {"waiting" if outcome == "waiting" else "cancelled": 1}
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason) == (("pending", None) if outcome == "waiting" else ("cancelled", reason))
    assert [row[2] for row in await decisions()] == [None, reason]
    assert smtp_sink.messages == []


async def _until_composed() -> None:
    for _ in range(500):
        if await Email.filter(status="claimed", words__not_isnull=True).exists():
            await asyncio.sleep(0.1)
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no mail was composed")


# Quiet hours


async def test_a_mail_due_at_night_goes_in_the_morning_and_keeps_its_step(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(quiet_hours="21:00-08:00", steps=[{"delay_minutes": 0}, {"delay_minutes": 60}])
    live.clock.moment = datetime(2026, 11, 23, 20, 30, tzinfo=UTC)  # 21:30 in Warsaw
    await live.cart()
    await live.abandon()
    morning = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    while live.now < morning:
        await jobs.email(live.runtime)
        assert smtp_sink.messages == []
        live.clock.moment = min(live.now + timedelta(minutes=97), morning)
    waited = await Decision.get()
    assert (waited.outcome, waited.reason) == ("waiting", "quiet_hours")
    assert waited.checks[-1]["until"] == morning.isoformat()
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}
    # The next message keeps its distance from this one.
    live.clock.advance(minutes=59)
    assert (await jobs.email(live.runtime)).counts == {}
    live.clock.advance(minutes=1)
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}


async def test_a_mail_in_the_queue_when_it_becomes_quiet_waits_for_the_morning(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(quiet_hours="21:00-08:00")
    live.clock.moment = datetime(2026, 11, 23, 19, 28, tzinfo=UTC)
    mail = await live.queue()  # at 20:59
    live.clock.advance(minutes=1)
    assert (await live.deliver()).counts == {"waiting": 1}
    await mail.refresh_from_db()
    morning = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
    assert live.now < mail.next_attempt_at <= morning
    live.clock.moment = morning - timedelta(seconds=1)
    await jobs.email(live.runtime)
    assert smtp_sink.messages == []
    live.clock.moment = morning
    assert (await jobs.email(live.runtime)).counts == {"sent": 1}


# Limits per person


async def second_store(shop: Shop) -> registry.StoreInForce:
    """Another live store of the same connection, with the settings of the first."""
    store = await registry.add_store(
        shop.connection, "pl", "Tatra", language="pl", currency="PLN", timezone="Europe/Warsaw"
    )
    await registry.change_settings(store, dict(shop.store.settings))
    await registry.set_mode(store, "live", shop.now)
    return await registry.in_force(store)


async def test_the_limits_count_all_carts_and_all_stores_of_a_shop(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(mails_per_person=2)
    await second_store(live)
    await live.cart("1")
    await live.tell(
        "cart.updated",
        {"quote_id": "2", "currency": "PLN", "total": 100, "items": [item()], "customer": {"email": ADDRESS}},
        store="pl",
    )
    await live.cart("3", items=[item("third")])
    await live.cart("4", customer={"email": "eva@example.com"})
    live.clock.advance(minutes=31)
    for sweep in (jobs.detect, jobs.score, jobs.email, jobs.email):
        await sweep(live.runtime)
    assert len(smtp_sink.to(ADDRESS)) == 2
    assert len(smtp_sink.to("eva@example.com")) == 1
    for _ in range(12):
        live.clock.advance(minutes=11)
        await jobs.email(live.runtime)
    assert len(smtp_sink.to(ADDRESS)) == 2
    assert sorted(reason or "" for _, _, reason in await decisions()).count("too_often") >= 1


async def test_a_persons_sequence_goes_on_while_another_cart_gets_none(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(carts_per_person=1, steps="recommended", mails_per_person=3)
    await live.cart("1")
    await live.abandon()
    live.clock.advance(hours=5)
    await jobs.email(live.runtime)
    await live.cart("2", items=[item("other")])
    await live.abandon()
    for _ in range(30):
        live.clock.advance(hours=4)
        await jobs.email(live.runtime)
    about = [mail.abandonment_id for mail in await Email.filter(status="sent")]
    assert about == [(await live.episode("1")).id] * 3
    assert (await live.episode("2")).status == "skipped"
    assert len({mail.message["Subject"] for mail in smtp_sink.messages}) == 3


async def test_a_mail_that_may_go_when_there_is_room_again_goes_then(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(mails_per_person=1, per_person_days=2)
    await live.cart("1")
    await live.abandon()
    await jobs.email(live.runtime)
    first = live.now
    await live.cart("2", items=[item("other")])
    await live.abandon()
    assert (await jobs.email(live.runtime)).counts == {"waiting": 1}
    while live.now < first + 2 * DAY:
        await jobs.email(live.runtime)
        assert len(smtp_sink.messages) == 1
        live.clock.advance(hours=3)
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}


async def test_an_observing_store_counts_what_it_would_have_sent(live: Shop) -> None:
    await live.set(carts_per_person=1)
    await live.go("observing")
    for number in ("1", "2"):
        await live.cart(number, items=[item(number)])
    await live.abandon()
    assert await live.plan() == {"would_send": 1, "skipped": 1}
    assert (await decisions())[-1][2] == "too_often"


# Bought elsewhere


async def test_the_same_phone_waits_for_the_window_and_then_nothing_goes(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.cart(customer={"email": ADDRESS} | PHONE)
    await live.abandon()
    await order_elsewhere(live)
    over = (await live.stored()).activity_at + timedelta(hours=72)
    for _ in range(17):
        await jobs.email(live.runtime)
        live.clock.moment = min(live.now + timedelta(hours=5), over)
    assert await decisions() == [(0, "waiting", "bought_elsewhere"), (0, "skipped", "bought_elsewhere")]
    assert smtp_sink.messages == []


async def test_a_cancelled_order_elsewhere_lets_the_mail_go(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.cart(customer={"email": ADDRESS} | PHONE)
    await live.abandon()
    await order_elsewhere(live)
    assert (await jobs.email(live.runtime)).counts == {"waiting": 1}
    live.clock.advance(minutes=1)
    await order_elsewhere(live, state="cancelled", event="order.cancelled")
    live.clock.advance(hours=6)
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}


async def test_the_very_same_products_hold_for_the_window_and_then_the_mail_goes(
    live: Shop, smtp_sink: SmtpSink
) -> None:
    await live.cart(items=[item("a"), item("b")])
    await live.abandon()
    await live.order("o7", quote_id="77", customer={"email": f"work@{HOST}"}, items=[item("b"), item("a")])
    changed = (await live.stored()).activity_at
    while live.now < changed + timedelta(hours=72):
        await jobs.email(live.runtime)
        assert smtp_sink.messages == []
        live.clock.moment = min(live.now + timedelta(hours=5), changed + timedelta(hours=72))
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}


async def test_what_others_buy_too_holds_nothing(live: Shop) -> None:
    await live.cart(items=[item("a")])
    await live.abandon()
    for number in (1, 2):
        await live.order(
            f"o{number}", quote_id=f"q{number}", customer={"email": f"p{number}@{HOST}"}, items=[item("a")]
        )
    assert await live.plan() == {"queued": 1}


async def test_the_look_at_other_addresses_can_be_switched_off(live: Shop) -> None:
    await live.set(bought_elsewhere_hours=0)
    await live.cart(customer={"email": ADDRESS} | PHONE)
    await live.abandon()
    await order_elsewhere(live)
    assert await live.plan() == {"queued": 1}


# Gone products


async def test_a_cart_of_which_something_is_left_is_written_to(live: Shop) -> None:
    await product(live, "a", in_stock=False)
    await product(live, "b", active=False)
    await live.cart("1", items=[item("a"), item("b")])
    await live.cart("2", items=[item("a"), item("unknown")], customer={"email": "eva@example.com"})
    await product(live, "parent", active=False)
    await live.cart("3", items=[item("child", parent_id="parent")], customer={"email": "ola@example.com"})
    await live.abandon()
    assert await live.plan() == {"skipped": 2, "queued": 1}
    assert [mail.to_address for mail in await live.emails()] == ["eva@example.com"]


# Too late


async def test_after_a_long_outage_only_the_message_that_is_on_time_goes(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(steps="recommended", max_late_hours=24)
    await live.cart()
    await live.abandon()
    live.clock.advance(hours=80)  # no worker ran
    for _ in range(5):
        await jobs.email(live.runtime)
    assert await decisions() == [
        (0, "skipped", "too_late"), (1, "skipped", "too_late"), (2, "queued", None), (2, "sent", None)
    ]  # fmt: skip
    assert len(smtp_sink.messages) == 1
    assert (await live.episode()).status == "contacted"


async def test_a_mail_that_lay_in_the_queue_too_long_is_taken_back(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(steps=[{"delay_minutes": 0}, {"delay_minutes": 4 * 24 * 60}])
    mail = await live.queue()
    live.clock.advance(hours=73)  # the relay was away
    assert (await jobs.email(live.runtime)).counts == {"cancelled": 1}
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason) == ("cancelled", "too_late")
    live.clock.advance(hours=24)
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}
    assert len(smtp_sink.messages) == 1


async def test_a_wait_for_consent_ends_when_it_is_too_late(live: Shop) -> None:
    await live.set(consent_policy="require")
    await live.cart()
    await live.abandon()
    for _ in range(30):
        await live.plan()
        live.clock.advance(hours=3)
    assert await decisions() == [(0, "waiting", "no_consent"), (0, "skipped", "too_late")]


async def test_a_whole_sequence_that_is_too_late_ends_skipped(live: Shop) -> None:
    await live.cart()
    await live.abandon()
    live.clock.advance(days=5)
    assert await live.plan() == {"skipped": 1}
    episode = await live.episode()
    assert (episode.status, episode.due_at) == ("skipped", None)


# One message after the other


async def test_the_next_message_waits_for_the_one_before(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(steps=[{"delay_minutes": 0}, {"delay_minutes": 60}])
    smtp_sink.answer(ADDRESS, "rcpt", 450, "greylisted", times=1)
    await live.queue()
    await live.deliver()
    live.clock.advance(minutes=61)
    first = await Email.get()
    first.next_attempt_at = live.now + timedelta(hours=1)
    await first.save(update_fields=["next_attempt_at"])
    assert (await jobs.email(live.runtime)).counts == {"waiting": 1}
    assert (await decisions())[-1] == (1, "waiting", "earlier_under_way")
    live.clock.advance(hours=1)
    assert (await jobs.email(live.runtime)).counts == {"sent": 1, "waiting": 1}
    live.clock.advance(minutes=60)
    assert (await jobs.email(live.runtime)).counts == {"queued": 1, "sent": 1}


async def test_after_a_mail_that_failed_no_other_is_tried(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(steps=[{"delay_minutes": 0}, {"delay_minutes": 60}], max_email_attempts=1)
    smtp_sink.answer(ADDRESS, "rcpt", 450, "mailbox full")
    await live.queue()
    assert (await live.deliver()).counts == {"failed": 1}
    live.clock.advance(hours=2)
    assert (await jobs.email(live.runtime)).counts == {"skipped": 1}
    assert (await decisions())[-1] == (1, "skipped", "undeliverable")
