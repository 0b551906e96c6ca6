"""Mails that somebody asked for: once however often they are asked for, and whatever kills their workers."""

from datetime import timedelta

import pytest

from recovery import db, jobs, notices, privacy
from recovery.models import Notice
from recovery.stores.registry import set_mode
from tests.reliability.workers import crash_at, end_leases
from tests.shop import Shop
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.faults
TO = "help@shop.example"
WORDS = {
    "subject": "A customer asks for a person",
    "paragraphs": ["Please answer <b>soon</b>."],
    "cart_title": "The cart",
    "lines": ["1 × Hala"],
    "total": "Cart value: €10.00",
    "foot": ["Sent by Cartback."],
}


async def ask(shop: Shop, key: str = "person:1") -> None:
    async with db.in_transaction():
        await notices.write(shop.store.id, "person", key, TO, WORDS, shop.now, reply_to="ann@example.org")


async def next_worker(shop: Shop) -> None:
    await end_leases()
    for _ in range(3):
        shop.clock.advance(minutes=11)
        await jobs.notice(shop.runtime)


async def test_a_notice_asked_for_three_times_goes_once(live: Shop, smtp_sink: SmtpSink) -> None:
    for _ in range(3):
        await ask(live)
    assert (await jobs.notice(live.runtime)).counts == {"sent": 1}
    assert (await jobs.notice(live.runtime)).counts == {}
    (message,) = smtp_sink.messages
    assert message.recipients == (TO,)
    row = await Notice.get()
    assert row.status == "sent"
    mail = message.message
    assert (mail["Reply-To"], mail["Subject"]) == ("ann@example.org", WORDS["subject"])
    assert mail["Message-ID"].startswith(f"<{row.id}@")
    text, html = message.text(), message.text("html")
    assert "Please answer <b>soon</b>." in text
    assert "&lt;b&gt;soon&lt;/b&gt;" in html
    assert "1 × Hala" in text
    assert "List-Unsubscribe" not in mail


async def test_a_transaction_that_fails_writes_none(live: Shop, smtp_sink: SmtpSink) -> None:
    async def ask_and_fail() -> None:
        async with db.in_transaction():
            await notices.write(live.store.id, "person", "person:1", TO, WORDS, live.now)
            raise LookupError

    with pytest.raises(LookupError):
        await ask_and_fail()
    assert (await jobs.notice(live.runtime)).counts == {}


@pytest.mark.parametrize(
    ("point", "status", "delivered"),
    [
        ("mail.claimed", "sent", 1),
        ("mail.composed", "sent", 1),
        ("mail.before_sending", "sent", 1),
        ("mail.sending", "unknown", 0),
        ("mail.answered", "unknown", 1),
        ("mail.sent", "sent", 1),
    ],
)
async def test_a_worker_killed_at_any_point_sends_none_twice(
    live: Shop, smtp_sink: SmtpSink, point: str, status: str, delivered: int
) -> None:
    await ask(live)
    await crash_at(live, smtp_sink, point)
    await next_worker(live)
    assert ((await Notice.get()).status, len(smtp_sink.messages)) == (status, delivered)


async def test_a_paused_store_keeps_notices_waiting(live: Shop, smtp_sink: SmtpSink) -> None:
    await set_mode(live.store, "paused", live.now)
    await ask(live)
    assert (await jobs.notice(live.runtime)).counts == {}
    await set_mode(live.store, "observing", live.now)
    assert (await jobs.notice(live.runtime)).counts == {"sent": 1}


async def test_a_refusal_is_tried_again_and_given_up(live: Shop, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer(TO, at="rcpt", code=451)
    await ask(live)
    for _ in range(8):
        await jobs.notice(live.runtime)
        live.clock.advance(hours=3)
    row = await Notice.get()
    assert (row.status, row.closed_reason, row.attempts) == ("failed", "attempts_used_up", 3)


async def test_addresses_and_words_are_forgotten_after_30_days(live: Shop, smtp_sink: SmtpSink) -> None:
    await ask(live)
    await jobs.notice(live.runtime)
    assert (await privacy.retain(live.runtime.keys, live.now + timedelta(days=29)))["notices"] == 0
    assert (await privacy.retain(live.runtime.keys, live.now + timedelta(days=31)))["notices"] == 1
    row = await Notice.get()
    assert (row.to_address, row.reply_to, row.words, row.status) == (None, None, None, "sent")
