"""What is told of mails after they left: bounces, complaints, deliveries, and the stop for too many complaints."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from admin.doctor_bounces import examine
from recovery import complaints, jobs
from recovery.complaints import Rate
from recovery.models import ComplaintHold, Decision, Email, EmailEvent, Suppression
from recovery.stores.registry import add_connection
from tests.shop import ADDRESS, Shop
from tests.smtp_sink import SmtpSink


async def tell(shop: Shop, kind: str, **data: Any) -> str:
    return await shop.tell(f"email.{kind}", {"email": ADDRESS, "at": shop.now.isoformat()} | data)


async def sent(live: Shop) -> Email:
    mail = await live.queue()
    assert (await live.deliver()).counts == {"sent": 1}
    return mail


async def lost(live: Shop, sink: SmtpSink) -> tuple[Email, str]:
    """A mail nobody knows the end of, and its Message-ID as the relay saw it."""
    mail = await live.queue()
    sink.answer(ADDRESS, "drop_after_dot", accept=True, times=1)
    assert (await live.deliver()).counts == {"unknown": 1}
    return mail, sink.messages[-1].message["Message-ID"]


async def causes() -> list[str]:
    return sorted([row.cause for row in await Suppression.filter(lifted_at=None)])


async def test_a_hard_bounce_stops_mails_at_once_and_a_soft_one_is_counted(live: Shop) -> None:
    mail = await live.queue()
    await tell(live, "bounced", hard=False, reason=f"452 4.2.2 <{ADDRESS}> mailbox full")
    await mail.refresh_from_db()
    assert (mail.status, await causes()) == ("pending", [])
    await tell(live, "bounced", hard=True, reason=f"550 5.1.1 <{ADDRESS}> unknown")
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason, await causes()) == ("suppressed", "bounce", ["bounce"])
    assert (await live.deliver()).counts == {}
    assert [event.hard for event in await EmailEvent.all().order_by("id")] == [False, True]
    kept = [event.reason or "" for event in await EmailEvent.all()] + [(await Suppression.get()).detail or ""]
    assert not any(ADDRESS in words for words in kept)


async def test_a_report_told_twice_counts_once(live: Shop) -> None:
    await sent(live)
    for _ in range(2):
        await tell(live, "complained")
    assert await EmailEvent.all().count() == 1
    assert await causes() == ["complaint"]


@pytest.mark.parametrize(
    ("kind", "told", "status"),
    [
        ("delivered", {}, "sent"),
        ("bounced", {"hard": True}, "failed"),
        ("bounced", {"hard": False}, "sent"),
        ("complained", {}, "sent"),
    ],
)
async def test_a_report_gives_an_unknown_mail_its_end(
    live: Shop, smtp_sink: SmtpSink, kind: str, told: dict[str, Any], status: str
) -> None:
    mail, message_id = await lost(live, smtp_sink)
    await tell(live, kind, message_id=message_id, **told)
    await mail.refresh_from_db()
    assert mail.status == status
    assert (await live.episode()).status == ("scored" if status == "failed" else "contacted")
    live.clock.advance(hours=1)
    await jobs.email(live.runtime)
    assert len(smtp_sink.messages) == 1


@pytest.mark.parametrize("message_id", ["<nonsense@example.com>", "", "<9f3c1c3e-2ad2-4ae7-8f0c-0a34a4f5a8c1@x>"])
async def test_a_report_that_names_no_mail_of_ours_ends_none(live: Shop, smtp_sink: SmtpSink, message_id: str) -> None:
    mail, _ = await lost(live, smtp_sink)
    await tell(live, "delivered", message_id=message_id)
    await mail.refresh_from_db()
    assert mail.status == "unknown"


async def test_another_connection_ends_no_mail_of_ours(live: Shop, smtp_sink: SmtpSink) -> None:
    from_us, message_id = await lost(live, smtp_sink)
    await Email.filter(id=from_us.id).update(connection_id=(await _another_connection(live)).id)
    await tell(live, "delivered", message_id=message_id)
    await from_us.refresh_from_db()
    assert from_us.status == "unknown"


async def _another_connection(shop: Shop) -> Any:

    connection, _ = await add_connection(shop.runtime.keys, "other", "Other", "https://other.example.com", shop.now)
    return connection


async def test_a_report_that_comes_before_the_silence_is_noticed_counts_too(live: Shop, smtp_sink: SmtpSink) -> None:
    mail = await live.queue()
    smtp_sink.answer(ADDRESS, "drop_after_dot", accept=True, delay=0.4, times=1)
    await _send_and_tell(live, mail)
    await mail.refresh_from_db()
    assert mail.status == "sent"


async def _send_and_tell(live: Shop, mail: Email) -> None:

    sending = asyncio.create_task(jobs.email(live.runtime))
    for _ in range(1000):
        if await Email.filter(status="sending").exists():
            break
        await asyncio.sleep(0.01)
    await tell(live, "delivered", message_id=f"{mail.id}@example.com")
    assert (await sending).counts == {"unknown": 1}


@pytest.mark.parametrize(
    ("text", "hard"),
    [
        ("5.1.1 no such user", True),
        ("5.1.10 null MX", True),
        ("5.7.1 refused by policy", False),
        ("5.2.2 mailbox full", False),
        ("5.1.8 bad sender", False),
        ("user unknown, perhaps", False),
    ],
)
async def test_a_refusal_by_the_relay_is_a_bounce_and_only_a_dead_address_suppresses(
    live: Shop, smtp_sink: SmtpSink, text: str, hard: bool
) -> None:
    mail = await live.queue()
    smtp_sink.answer(ADDRESS, "rcpt", 550, text)
    assert (await live.deliver()).counts == {"failed": 1}
    event = await EmailEvent.get()
    assert (event.kind, event.hard, event.source, str(event.email_id)) == ("bounced", hard, "relay", str(mail.id))
    assert await causes() == (["bounce"] if hard else [])


async def test_what_the_relay_refuses_for_now_is_no_bounce(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.set(max_email_attempts=1)
    await live.queue()
    smtp_sink.answer(ADDRESS, "rcpt", 450, "4.1.1 later")
    assert (await live.deliver()).counts == {"failed": 1}
    assert not await EmailEvent.exists()


@pytest.mark.parametrize(
    ("mails", "people", "verdict"),
    [
        (10, 1, "warn"),  # reckoned as if a thousand had gone
        (10, 2, "warn"),
        (10, 3, "stop"),
        (10_000, 9, "good"),
        (10_000, 10, "warn"),
        (10_000, 29, "warn"),
        (10_000, 30, "stop"),
        (0, 0, "good"),
    ],
)
def test_the_rate_warns_at_one_in_a_thousand_and_stops_at_three(mails: int, people: int, verdict: str) -> None:
    assert Rate(mails, people).verdict == verdict


async def complain(live: Shop, count: int, first: int = 0) -> None:
    """So many customers get a mail and call it spam."""
    for number in range(first, first + count):
        address = f"c{number}@example.com"
        await live.cart(f"c{number}", customer={"email": address})
    await live.abandon()
    await live.plan(count)
    await live.deliver(limit=count)
    for number in range(first, first + count):
        await tell(live, "complained", email=f"c{number}@example.com")


async def test_too_many_complaints_hold_every_mail_until_a_person_lifts_it(live: Shop, smtp_sink: SmtpSink) -> None:
    queued = await live.queue("kept", customer={"email": "patient@example.com"})
    await Email.filter(id=queued.id).update(next_attempt_at=live.now + timedelta(hours=1))
    await complain(live, 3)
    assert (await ComplaintHold.get()).complaints == 3
    assert len(smtp_sink.messages) == 3
    live.clock.advance(hours=1)
    assert (await live.deliver()).counts == {"waiting": 1}
    await live.cart("new", customer={"email": "new@example.com"})
    await live.abandon()
    assert await live.plan() == {"waiting": 1}
    reasons = [row.reason for row in await Decision.filter(outcome="waiting").order_by("id")]
    assert reasons == ["complaints", "complaints"]
    (finding,) = [found for found in await examine(live.now) if found.subject == "Complaints of demo"]
    assert (finding.state, "3 people reported 3 mails as spam" in finding.words) == ("wrong", True)
    assert "`cartback suppressions resume demo`" in finding.fix
    assert await complaints.lift(live.connection.id, live.now)
    live.clock.advance(hours=1)
    assert await live.plan() == {"queued": 1}
    assert (await live.deliver()).counts == {"sent": 2}


async def test_counting_begins_anew_once_a_stop_is_lifted(live: Shop) -> None:
    await complain(live, 3)
    await complaints.lift(live.connection.id, live.now)
    live.clock.advance(minutes=1)
    await complain(live, 2, first=10)
    assert (await complaints.rate(live.connection.id, live.now)).complaints == 2
    assert await complaints.stop_in_force(live.connection.id) is None
    await complain(live, 1, first=20)
    assert await complaints.stop_in_force(live.connection.id) is not None


async def test_complaints_about_mails_that_are_not_ours_stop_nobody(live: Shop) -> None:
    for number in range(5):
        await tell(live, "complained", email=f"newsletter{number}@example.com")
    assert await causes() == ["complaint"] * 5
    assert await complaints.stop_in_force(live.connection.id) is None


async def test_old_complaints_are_forgiven(live: Shop) -> None:
    await complain(live, 2)
    live.clock.advance(days=31)
    await complain(live, 1, first=10)
    assert await complaints.stop_in_force(live.connection.id) is None
