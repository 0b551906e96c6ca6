"""A worker killed at every named point of a send: what it leaves behind, and what the next worker makes of it."""

import asyncio
from typing import Any

import pytest

from admin import rights
from recovery import jobs
from recovery.emails import unsubscribe_link
from recovery.models import Email
from tests.reliability.workers import crash_at, end_leases, start_worker
from tests.shop import ADDRESS, Shop
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.faults
BEFORE = ["mail.claimed", "mail.composed", "mail.before_sending"]


async def next_worker(shop: Shop) -> None:
    """What happens after the leases of the dead have run out."""
    await end_leases()
    for _ in range(3):
        shop.clock.advance(minutes=11)
        await jobs.email(shop.runtime)


@pytest.mark.parametrize("point", BEFORE)
async def test_before_the_point_of_no_return_the_mail_goes_once_later(
    live: Shop, smtp_sink: SmtpSink, point: str
) -> None:
    mail = await live.queue()
    await crash_at(live, smtp_sink, point)
    await mail.refresh_from_db()
    assert (mail.status, mail.claims, smtp_sink.messages) == ("claimed", 1, [])
    await next_worker(live)
    await mail.refresh_from_db()
    assert (mail.status, len(smtp_sink.messages)) == ("sent", 1)


@pytest.mark.parametrize(
    ("point", "left", "status", "delivered"),
    [
        ("mail.sending", "sending", "unknown", 0),
        ("mail.answered", "sending", "unknown", 1),
        ("mail.sent", "sent", "sent", 1),
    ],
)
async def test_after_it_the_mail_never_goes_again(
    live: Shop, smtp_sink: SmtpSink, point: str, left: str, status: str, delivered: int
) -> None:
    mail = await live.queue()
    await crash_at(live, smtp_sink, point)
    await mail.refresh_from_db()
    assert (mail.status, len(smtp_sink.messages)) == (left, delivered)
    await next_worker(live)
    await mail.refresh_from_db()
    assert (mail.status, len(smtp_sink.messages)) == (status, delivered)


@pytest.mark.parametrize("accepted", [True, False])
async def test_killed_while_waiting_for_the_last_answer(live: Shop, smtp_sink: SmtpSink, accepted: bool) -> None:
    mail = await live.queue()
    smtp_sink.answer(ADDRESS, "hang_after_dot", accept=accepted, times=1)
    worker = await start_worker(live, smtp_sink)
    await _until("sending")
    await asyncio.sleep(0.3)
    worker.kill()
    await worker.wait()
    await next_worker(live)
    await mail.refresh_from_db()
    assert (mail.status, len(smtp_sink.messages)) == ("unknown", accepted)


async def _until(status: str) -> None:
    for _ in range(1500):
        if await Email.filter(status=status).exists():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"no mail became {status}")


async def _order(shop: Shop) -> None:
    await shop.order()


async def _unsubscribe(shop: Shop) -> None:
    link = unsubscribe_link(shop.runtime, shop.store.id, shop.runtime.keys.email_hash(ADDRESS))
    assert (await shop.client.post(link, data={"List-Unsubscribe": "One-Click"})).status_code == 200


async def _withdraw(shop: Shop) -> None:
    consent = {"marketing": False, "at": shop.now.isoformat(), "source": "account"}
    await shop.tell("consent.updated", {"email": ADDRESS, "consent": consent})


async def _erase(shop: Shop) -> None:
    await rights.erase(shop.runtime, await rights.find_subject(shop.runtime, ADDRESS, None))


@pytest.mark.parametrize(
    ("point", "fact"),
    [
        ("mail.claimed", _order),
        ("mail.claimed", _withdraw),
        ("mail.before_sending", _order),
        *((point, fact) for point in BEFORE for fact in (_unsubscribe, _erase)),
    ],
)
async def test_a_fact_committed_while_the_mail_hangs_at_a_point_stops_it(
    live: Shop, smtp_sink: SmtpSink, point: str, fact: Any
) -> None:
    mail = await live.queue()
    await crash_at(live, smtp_sink, point)
    await fact(live)
    await next_worker(live)
    await mail.refresh_from_db()
    assert mail.status in {"cancelled", "suppressed"}
    assert smtp_sink.messages == []


async def _order_elsewhere(shop: Shop) -> None:
    await shop.order("o7", quote_id="77", customer={"email": "work@example.com", "phone_hash": "the-same"})


async def _sell_out(shop: Shop) -> None:
    gone = {"product_id": "K-12", "name": "Jacket", "price": 45999, "currency": "EUR", "in_stock": False}
    await shop.tell("product.updated", {"products": [gone]})


@pytest.mark.parametrize(
    ("point", "fact", "status"),
    [
        (None, _order, "cancelled"),
        (None, _unsubscribe, "suppressed"),
        (None, _order_elsewhere, "pending"),
        (None, _sell_out, "cancelled"),
        ("mail.claimed", _order_elsewhere, "pending"),
        ("mail.before_sending", _order_elsewhere, "pending"),
    ],
)
async def test_a_purchase_elsewhere_and_gone_products_hold_a_mail_at_every_point(
    live: Shop, smtp_sink: SmtpSink, point: str | None, fact: Any, status: str
) -> None:
    """``None`` is a mail that was planned and not touched yet."""
    mail = await live.queue(customer={"email": ADDRESS, "phone_hash": "the-same"})
    if point is not None:
        await crash_at(live, smtp_sink, point)
    await fact(live)
    await next_worker(live)
    await mail.refresh_from_db()
    assert mail.status == status
    assert smtp_sink.messages == []


async def test_an_erasure_while_the_relay_has_the_mail_leaves_nothing_of_it(live: Shop, smtp_sink: SmtpSink) -> None:
    mail = await live.queue()
    await crash_at(live, smtp_sink, "mail.answered")
    await _erase(live)
    await next_worker(live)
    await mail.refresh_from_db()
    assert (mail.status, mail.to_address, mail.words) == ("unknown", None, None)
    assert len(smtp_sink.messages) == 1


async def test_a_crash_point_is_never_armed_outside_tests(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.queue()
    worker = await start_worker(live, smtp_sink, CARTBACK_CRASH_POINT="mail.claimed")
    assert await asyncio.wait_for(worker.wait(), 30) == 0
    assert len(smtp_sink.messages) == 1
