"""One mail each, whatever the relay answers; the oracle is the sink's ledger of what it accepted."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from recovery import jobs
from recovery.delivery import EmailSweep
from recovery.models import Decision, Email, Suppression
from recovery.outbox import MOST_CLAIMS
from tests.reliability import facts
from tests.reliability.workers import end_leases
from tests.shop import ADDRESS, READY, Shop, open_shop, settings_for
from tests.smtp_sink import EVERYBODY, SmtpSink, Stage


def address(number: int) -> str:
    return f"anna{number}@example.com"


async def queue(shop: Shop, count: int) -> None:
    """So many queued mails, in this order."""
    for number in range(count):
        await shop.cart(str(number), customer={"email": address(number)})
    await shop.abandon()
    assert (await shop.plan(count)) == {"queued": count}
    for place, email in enumerate(await Email.all().order_by("to_address")):
        await Email.filter(id=email.id).update(next_attempt_at=shop.now - timedelta(seconds=60 - place))


async def mail_of(number: int) -> Email:
    return await Email.get(to_address=address(number))


async def test_a_mail_goes_out_once_and_is_written_down(live: Shop, smtp_sink: SmtpSink) -> None:
    mail = await live.queue()
    assert (await live.deliver()).counts == {"sent": 1}
    await mail.refresh_from_db()
    assert (mail.status, mail.sent_at, mail.smtp_code, mail.attempts) == ("sent", live.now, 250, 0)
    assert (mail.claimed_by, mail.lease_until) == (None, None)
    (received,) = smtp_sink.messages
    assert (received.sender, received.recipients) == ("shop@example.com", (ADDRESS,))
    assert (await live.episode()).status == "contacted"
    assert [d.outcome for d in await Decision.all().order_by("id")] == ["queued", "sent"]
    assert (await live.deliver()).counts == {}
    assert len(smtp_sink.messages) == 1


async def test_a_batch_is_a_batch_and_the_rest_goes_next(live: Shop, smtp_sink: SmtpSink) -> None:
    await queue(live, 7)
    assert (await live.deliver(limit=5)).counts == {"sent": 5}
    assert (await live.deliver(limit=5)).counts == {"sent": 2}
    assert sorted(to for mail in smtp_sink.messages for to in mail.recipients) == [address(n) for n in range(7)]


async def test_slots_are_connections(database_url: str, redis_url: str, smtp_sink: SmtpSink) -> None:
    async with open_shop(settings_for(database_url, redis_url, smtp_sink, send_slots=3)) as shop:
        await _ready(shop)
        await queue(shop, 9)
        assert (await shop.deliver()).counts == {"sent": 9}
        assert smtp_sink.connections == 3


async def _ready(shop: Shop) -> None:
    await shop.set(**READY)
    await shop.go("live")


@pytest.mark.parametrize("mode", ["observing", "paused"])
async def test_only_a_live_store_sends(live: Shop, smtp_sink: SmtpSink, mode: Any) -> None:
    await live.queue()
    await live.go(mode)
    assert (await live.deliver()).counts == {}
    assert smtp_sink.connections == 0


STAGES: list[tuple[Stage, int, str, str, int]] = [
    ("rcpt", 450, "retry", "pending", 1),
    ("rcpt", 550, "failed", "failed", 1),
    ("data", 451, "retry", "pending", 1),
    ("data", 554, "failed", "failed", 1),
    ("after_dot", 451, "retry", "pending", 1),
    ("after_dot", 421, "retry", "pending", 1),
    ("after_dot", 552, "failed", "failed", 1),
    ("mail", 451, "relay_trouble", "pending", 0),
    ("mail", 550, "relay_trouble", "pending", 0),
    ("mail", 530, "relay_trouble", "pending", 0),
    ("connect", 421, "relay_trouble", "pending", 0),
    ("connect", 554, "relay_trouble", "pending", 0),
    ("rcpt", 421, "relay_trouble", "pending", 0),
    ("drop_after_dot", 0, "unknown", "unknown", 0),
]


@pytest.mark.parametrize(("stage", "code", "outcome", "status", "attempts"), STAGES)
async def test_what_the_relay_says_at_each_stage(
    live: Shop, smtp_sink: SmtpSink, stage: Stage, code: int, outcome: str, status: str, attempts: int
) -> None:
    mail = await live.queue()
    smtp_sink.answer(EVERYBODY, stage, code, "no", accept=False)
    assert (await live.deliver()).counts == {outcome: 1}
    await mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.claims <= 1) == (status, attempts, True)
    assert smtp_sink.messages == []
    if status == "failed":
        assert (mail.smtp_code, mail.closed_reason, mail.closed_at) == (code, "refused", live.now)


@pytest.mark.parametrize("accepted", [True, False])
async def test_silence_after_the_dot_is_unknown_and_never_sent_again(
    live: Shop, smtp_sink: SmtpSink, accepted: bool
) -> None:
    mail = await live.queue()
    smtp_sink.answer(ADDRESS, "drop_after_dot", accept=accepted, times=1)
    assert (await live.deliver()).counts == {"unknown": 1}
    for _ in range(3):
        live.clock.advance(hours=6)
        await end_leases()
        await jobs.email(live.runtime)
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason) == ("unknown", "no_answer")
    assert len(smtp_sink.messages) == accepted


async def test_a_mail_refused_for_now_is_tried_again_later_and_later(live: Shop, smtp_sink: SmtpSink) -> None:
    mail = await live.queue()
    smtp_sink.answer(ADDRESS, "rcpt", 450, "greylisted", times=2)
    for minutes in (1, 5):
        assert (await live.deliver()).counts == {"retry": 1}
        await mail.refresh_from_db()
        wait = (mail.next_attempt_at - live.now) / timedelta(minutes=minutes)
        assert 0.8 <= wait <= 1.2
        assert (await live.deliver()).counts == {}
        live.clock.moment = mail.next_attempt_at
    assert (await live.deliver()).counts == {"sent": 1}
    await mail.refresh_from_db()
    assert (mail.status, mail.attempts) == ("sent", 2)
    assert len(smtp_sink.messages) == 1


async def test_after_the_last_attempt_a_mail_has_failed(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(max_email_attempts=2)
    mail = await live.queue()
    smtp_sink.answer(ADDRESS, "after_dot", 451, "later")
    assert (await live.deliver()).counts == {"retry": 1}
    live.clock.advance(hours=1)
    assert (await live.deliver()).counts == {"failed": 1}
    await mail.refresh_from_db()
    assert (mail.status, mail.attempts, mail.closed_reason) == ("failed", 2, "attempts_used_up")


async def test_every_attempt_has_the_same_id_words_and_date(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.queue()
    smtp_sink.answer(ADDRESS, "drop_after_dot", accept=True, times=1)
    await live.deliver()
    # Not what the service would do: an operator who decides to send an unknown one again.
    await Email.all().update(status="pending", next_attempt_at=live.now)
    live.clock.advance(minutes=10)
    await live.deliver()
    first, second = (mail.message for mail in smtp_sink.messages)
    for name in ("Message-ID", "Subject", "Date", "From", "To"):
        assert first[name] == second[name], name


async def test_more_attempts_than_claims_a_crashing_mail_has(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(max_email_attempts=15)
    mail = await live.queue()
    smtp_sink.answer(ADDRESS, "rcpt", 450, "greylisted", times=14)
    for _ in range(15):
        live.clock.advance(hours=3)
        await live.deliver()
    await mail.refresh_from_db()
    assert (mail.status, mail.attempts) == ("sent", 14)


async def test_a_mail_may_wait_as_long_as_its_reason_lasts(live: Shop, smtp_sink: SmtpSink) -> None:
    mail = await live.queue()
    await live.set(consent_policy="require")
    for _ in range(15):
        live.clock.advance(minutes=11)
        assert (await live.deliver()).counts == {"waiting": 1}
    consent = {"marketing": True, "at": live.now.isoformat(), "source": "newsletter"}
    await live.tell("consent.updated", {"email": ADDRESS, "consent": consent})
    live.clock.advance(minutes=11)
    assert (await live.deliver()).counts == {"sent": 1}
    await mail.refresh_from_db()
    assert mail.status == "sent"


async def test_a_mail_that_kills_its_workers_is_given_up_and_the_next_goes(live: Shop, smtp_sink: SmtpSink) -> None:
    await queue(live, 2)
    await Email.filter(to_address=address(0)).update(claims=MOST_CLAIMS)
    assert (await live.deliver()).counts == {"failed": 1, "sent": 1}
    poison = await mail_of(0)
    assert (poison.status, poison.closed_reason) == ("failed", "crash_loop")
    assert (await mail_of(1)).status == "sent"


async def test_a_relay_in_trouble_costs_no_attempt_and_stops_the_sweep(
    database_url: str, redis_url: str, smtp_sink: SmtpSink
) -> None:
    async with open_shop(settings_for(database_url, redis_url, smtp_sink, send_slots=1)) as shop:
        await _ready(shop)
        await queue(shop, 5)
        smtp_sink.answer(EVERYBODY, "connect", 421, "too busy")
        report = await jobs.email(shop.runtime)
        assert report.counts == {"relay_trouble": 1}
        assert "421" in report.errors[0]
        assert smtp_sink.connections == 1
        assert all((mail.status, mail.attempts) == ("pending", 0) for mail in await Email.all())


async def test_nobody_listening_is_relay_trouble(database_url: str, redis_url: str) -> None:
    async with open_shop(settings_for(database_url, redis_url, smtp_port=1)) as shop:
        await _ready(shop)
        mail = await shop.queue()
        for _ in range(MOST_CLAIMS + 2):
            assert (await shop.deliver()).counts == {"relay_trouble": 1}
            shop.clock.advance(minutes=2)
        await mail.refresh_from_db()
        assert (mail.status, mail.attempts) == ("pending", 0)


async def test_an_idle_connection_that_the_relay_closed_is_opened_again(
    database_url: str, redis_url: str, smtp_sink: SmtpSink
) -> None:
    async with open_shop(settings_for(database_url, redis_url, smtp_sink, send_slots=1)) as shop:
        await _ready(shop)
        await queue(shop, 2)
        smtp_sink.answer(address(1), "rcpt", 421, "idle too long", times=1)
        assert (await shop.deliver()).counts == {"sent": 2}
        assert smtp_sink.connections == 2


@pytest.mark.parametrize(
    ("text", "suppressed"),
    [
        ("5.1.1 no such user", True),
        ("5.1.10 no such domain takes mail", True),
        ("5.7.1 blocked (Exchange 15.1.2507)", False),
        ("5.1.8 bad sender's system", False),
        ("5.1.7 bad sender", False),
        ("5.2.2 mailbox full", False),
        ("no", False),
    ],
)
async def test_only_an_address_that_does_not_exist_is_suppressed(
    live: Shop, smtp_sink: SmtpSink, text: str, suppressed: bool
) -> None:
    await live.queue()
    smtp_sink.answer(ADDRESS, "rcpt", 550, text)
    assert (await live.deliver()).counts == {"failed": 1}
    assert [row.cause for row in await Suppression.all()] == (["bounce"] if suppressed else [])


FACTS = [
    facts.order, facts.order_elsewhere, facts.refuse, facts.complain, facts.bounce, facts.unsubscribe, facts.erase,
    facts.change, facts.delete,
]  # fmt: skip


@pytest.mark.parametrize("fact", FACTS)
async def test_a_fact_that_comes_while_the_relay_thinks_stops_this_mail_and_no_other(
    database_url: str, redis_url: str, smtp_sink: SmtpSink, fact: Any
) -> None:
    """Both mails go over one connection: what was begun with the first must not spoil the second."""
    async with open_shop(settings_for(database_url, redis_url, smtp_sink, send_slots=1)) as shop:
        await _ready(shop)
        await queue(shop, 2)
        smtp_sink.answer(address(0), "rcpt", 250, "OK, after a while", delay=0.5, times=1)
        sending = asyncio.create_task(shop.deliver())
        await _until_claimed()
        await fact(shop, address(0), "0")
        counts = (await sending).counts
        assert counts.pop("sent") == 1
        assert sum(counts.values()) == 1
        assert [mail.recipients for mail in smtp_sink.messages] == [(address(1),)]
        assert (await Email.all().order_by("id").exclude(status="sent").get()).status in {"cancelled", "suppressed"}
        assert (await mail_of(1)).status == "sent"


async def test_a_pause_that_comes_while_the_relay_thinks_holds_the_mail(live: Shop, smtp_sink: SmtpSink) -> None:
    await queue(live, 1)
    smtp_sink.answer(address(0), "rcpt", 250, "OK, after a while", delay=0.5, times=1)
    sending = asyncio.create_task(live.deliver())
    await _until_claimed()
    await live.go("paused")
    assert (await sending).counts == {"waiting": 1}
    assert (await mail_of(0)).status == "pending"
    assert smtp_sink.messages == []


async def _until_claimed() -> None:
    for _ in range(500):
        if await Email.filter(status="claimed", words__not_isnull=True).exists():
            await asyncio.sleep(0.1)
            return
        await asyncio.sleep(0.01)
    raise AssertionError("no mail was claimed")


async def test_whoever_lost_its_lease_before_data_changes_nothing(live: Shop, smtp_sink: SmtpSink) -> None:
    await queue(live, 1)
    smtp_sink.answer(address(0), "rcpt", 250, "OK, after a while", delay=1, times=1)
    stalled = asyncio.create_task(live.deliver())
    await _until_claimed()
    await end_leases()
    assert await EmailSweep.recover_leases(live.now) == (1, 0)
    assert (await live.deliver()).counts == {"sent": 1}
    assert (await stalled).counts == {"lost": 1}
    assert (await mail_of(0)).status == "sent"
    assert len(smtp_sink.messages) == 1


async def test_a_lease_that_ran_out_unnoticed_is_lost_all_the_same(live: Shop, smtp_sink: SmtpSink) -> None:
    await queue(live, 1)
    smtp_sink.answer(address(0), "rcpt", 250, "OK, after a while", delay=0.5, times=1)
    stalled = asyncio.create_task(live.deliver())
    await _until_claimed()
    await end_leases()
    assert (await stalled).counts == {"lost": 1}
    assert smtp_sink.messages == []
    assert await EmailSweep.recover_leases(live.now) == (1, 0)
    assert (await live.deliver()).counts == {"sent": 1}


async def test_whoever_lost_its_lease_in_data_changes_nothing(live: Shop, smtp_sink: SmtpSink) -> None:
    await queue(live, 1)
    smtp_sink.answer(address(0), "after_dot", 250, "OK, at last", delay=1, times=1)
    stalled = asyncio.create_task(live.deliver())
    await smtp_sink.wait_for(1)
    await end_leases()
    assert await EmailSweep.recover_leases(live.now) == (0, 1)
    assert (await stalled).counts == {"lost": 1}
    assert (await live.deliver()).counts == {}
    assert (await mail_of(0)).status == "unknown"
    assert len(smtp_sink.messages) == 1


async def test_a_mail_that_cannot_be_made_holds_up_no_other(live: Shop, smtp_sink: SmtpSink) -> None:
    await queue(live, 4)
    # As a mistake of a newer version might leave it: words without a subject.
    await Email.filter(to_address=address(0)).update(words={"subject": None})
    report = await jobs.email(live.runtime)
    assert report.counts == {}
    assert len(report.errors) == 1
    assert len(smtp_sink.messages) == 3
    assert await Email.filter(status="sent").count() == 3


async def test_the_shop_gets_a_marked_copy_and_its_failure_touches_nothing(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(copy_address="owner@example.com")
    await queue(live, 2)
    smtp_sink.answer("owner@example.com", "rcpt", 550, "5.1.1 no", times=1)
    report = await jobs.email(live.runtime)
    assert report.counts == {"sent": 2, "copies": 1}
    (copy,) = smtp_sink.to("owner@example.com")
    message = copy.message
    assert message["Subject"].startswith("[Cartback] ")
    assert "List-Unsubscribe" not in message
    for part in (copy.text("plain"), copy.text("html")):
        assert not any(path in part for path in ("/r/", "/a/", "/u/"))
    assert sorted(mail.copy_status or "" for mail in await Email.all()) == ["failed", "sent"]
    assert await Email.filter(status="sent").count() == 2
    assert not await Suppression.exists()
    assert (await jobs.email(live.runtime)).counts == {}
    assert len(smtp_sink.to("owner@example.com")) == 1
