"""Three workers, two hundred mails, a relay that misbehaves and kill -9 at random: nobody is written to twice."""

import asyncio
import random
from collections import Counter

import pytest
from tortoise.expressions import Q

from recovery import db, jobs
from recovery.models import Email
from tests.reliability.workers import end_leases, start_worker
from tests.shop import Shop
from tests.smtp_sink import EVERYBODY, SmtpSink, Stage

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]
STAGES: list[Stage] = ["rcpt", "after_dot", "drop_after_dot"]
MAILS, WORKERS, KILLS = 200, 3, 6


async def queue_many(shop: Shop) -> None:
    """Carts over HTTP, so that everything is as in life; then detected, scored and planned."""
    for number in range(MAILS):
        await shop.cart(str(number), customer={"email": f"anna{number}@example.com"})
    shop.clock.advance(minutes=31)
    assert await shop.detect(MAILS) == MAILS
    assert await shop.score(MAILS) == MAILS
    assert await shop.plan(MAILS) == {"queued": MAILS}


async def end_leases_now_and_then(stop: asyncio.Event) -> None:
    """Time flies: what a dead worker held is free again after a moment instead of minutes.

    Only mails of workers that are gone; a live one would find its lease ended under its hands, as after a long stall.
    """
    while not stop.is_set():
        await asyncio.sleep(0.3)
        await db.client().execute_query(
            "UPDATE email SET lease_until = now() - interval '1 s' WHERE lease_until < now() + interval '359.2 s'"
            " AND status = 'sending' OR lease_until < now() + interval '119.2 s' AND status = 'claimed'"
        )


async def test_nobody_is_written_to_twice(live: Shop, smtp_sink: SmtpSink) -> None:
    await queue_many(live)
    dice = random.Random(11)
    for number in dice.sample(range(MAILS), 24):
        stage = dice.choice(STAGES)
        smtp_sink.answer(f"anna{number}@example.com", stage, 451, accept=dice.random() < 0.5, times=1)
    smtp_sink.answer(EVERYBODY, "after_dot", 250, "OK", delay=0.25)
    stop = asyncio.Event()
    reaper = asyncio.create_task(end_leases_now_and_then(stop))
    workers = {}
    for _ in range(WORKERS):
        worker = await start_worker(live, smtp_sink, 1000, CARTBACK_SEND_SLOTS="4")
        workers[worker.pid] = worker
    kills = 0
    deadline = asyncio.get_running_loop().time() + 40
    due = Q(status__in=("claimed", "sending")) | Q(status="pending", next_attempt_at__lte=live.now)
    while await Email.filter(due).exists() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(dice.uniform(0.05, 0.2))
        # Four of six die while the relay has their mails and the answer is on its way, the others before.
        status = "sending" if kills % 3 else "claimed"
        busy = [int((mail.claimed_by or "").split(":")[1]) for mail in await Email.filter(status=status)]
        pid = next((pid for pid in busy if pid in workers), 0)
        if kills < KILLS and pid:
            workers[pid].kill()
            await workers.pop(pid).wait()
            kills += 1
            worker = await start_worker(live, smtp_sink, 1000, CARTBACK_SEND_SLOTS="4")
            workers[worker.pid] = worker
    for worker in workers.values():
        worker.kill()
        await worker.wait()
    stop.set()
    await reaper
    await finish(live)

    copies = Counter(mail.recipients[0] for mail in smtp_sink.messages)
    assert [to for to, count in copies.items() if count > 1] == []
    mails = await Email.all()
    assert {mail.status for mail in mails} <= {"sent", "unknown", "failed"}
    sent = {mail.to_address for mail in mails if mail.status == "sent"}
    assert sent <= set(copies)
    assert len(mails) == MAILS
    # What was delivered is written down as sent, or as unknown for a person to see.
    told = {mail.to_address for mail in mails if mail.status in {"sent", "unknown"}}
    assert set(copies) <= told
    assert kills >= KILLS - 2
    assert any(mail.status == "unknown" for mail in mails)


async def finish(shop: Shop) -> None:
    """A last worker after all leases are over."""
    await end_leases()
    for _ in range(4):
        shop.clock.advance(hours=3)
        await jobs.email(shop.runtime)
