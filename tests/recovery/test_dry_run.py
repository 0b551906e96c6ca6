"""What a run of sending says it would do is what it then does, and saying it changes nothing."""

from typing import Any

from recovery import jobs
from recovery.models import Decision, Email
from tests.shop import ADDRESS, Shop, item
from tests.smtp_sink import SmtpSink

DRY = jobs.Scope(dry_run=True)


async def rows() -> list[Any]:
    """Everything that sending changes."""
    return [await Decision.all().values(), await Email.all().values()]


async def test_each_message_is_foreseen_with_its_reason(live: Shop, smtp_sink: SmtpSink) -> None:
    await live.queue("1")
    await live.set(carts_per_person=1)
    await live.cart("2", customer={"email": "eva@example.com"}, items=[item("a")])
    await live.cart("3", customer={"email": "eva@example.com"}, items=[item("b")])
    await live.cart("4", customer={"email": "info@example.com"})
    await live.abandon()
    before = await rows()
    report = await jobs.email(live.runtime, DRY)
    assert await rows() == before
    assert smtp_sink.connections == 0
    told = {each.quote_id: (each.message, each.outcome, each.reason) for each in report.foreseen}
    assert told == {
        "1": (1, "ready", None),
        "2": (1, "queued", None),
        "3": (1, "skipped", "too_often"),
        "4": (1, "skipped", "role_address"),
    }
    assert report.counts == {"ready": 1, "queued": 1, "skipped": 2}
    assert {each.customer for each in report.foreseen} == {"a***@example.com", "e***@example.com", "i***@example.com"}
    assert report.foreseen[0].words == "Every check holds."
    await jobs.email(live.runtime)
    assert {to for mail in smtp_sink.messages for to in mail.recipients} == {ADDRESS, "eva@example.com"}
    assert len(smtp_sink.messages) == 2


async def test_a_hold_is_foreseen_with_its_end(live: Shop) -> None:
    await live.queue("1")
    await live.set(quiet_hours="10:00-15:30")
    (told,) = (await jobs.email(live.runtime, DRY)).foreseen
    assert (told.outcome, told.reason) == ("waiting", "quiet_hours")
    assert told.until is not None
    assert told.until.isoformat() == "2026-11-23T14:30:00+00:00"
    assert "2026-11-23 15:30" in told.words


async def test_a_step_that_is_not_due_is_not_foreseen(live: Shop) -> None:
    await live.set(steps="recommended")
    await live.cart()
    await live.abandon()
    assert (await jobs.email(live.runtime, DRY)).foreseen == []
    live.clock.advance(hours=4)
    assert [each.outcome for each in (await jobs.email(live.runtime, DRY)).foreseen] == ["queued"]


async def test_a_paused_store_foresees_nothing(live: Shop) -> None:
    await live.queue("1")
    await live.go("paused")
    assert (await jobs.email(live.runtime, DRY)).foreseen == []
