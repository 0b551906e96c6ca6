"""Several workers and several carts of the same people at once: nobody gets more than the limit, and nobody nothing."""

import asyncio
from collections import Counter

import pytest

from recovery import campaigns, jobs
from recovery.models import Email
from recovery.stores import registry
from tests.reliability.workers import start_worker
from tests.shop import Shop, item
from tests.smtp_sink import EVERYBODY, SmtpSink

pytestmark = pytest.mark.faults
PEOPLE = [f"p{number}@example.com" for number in range(5)]


async def carts_of_everybody(live: Shop) -> None:
    """Two carts each, in two live stores of the same shop, detected and scored."""
    store = await registry.add_store(
        live.connection, "pl", "Tatra", language="pl", currency="PLN", timezone="Europe/Warsaw"
    )
    await registry.change_settings(store, dict(live.store.settings))
    await registry.set_mode(store, "live", live.now)
    for person in PEOPLE:
        await live.cart(f"{person} 1", customer={"email": person})
        cart = {"quote_id": f"{person} 2", "currency": "PLN", "total": 100, "items": [item("other")]}
        await live.tell("cart.updated", cart | {"customer": {"email": person}}, store="pl")
    live.clock.advance(minutes=31)
    await jobs.detect(live.runtime)
    await jobs.score(live.runtime)


async def limit(live: Shop, **limits: int) -> None:
    for store in await registry.all_in_force():
        await registry.change_settings(store.row, limits)


async def work(live: Shop, sink: SmtpSink) -> Counter[str]:
    """Two workers at once over a slow relay, then one more after every pause; how many mails each person got."""
    sink.answer(EVERYBODY, "after_dot", 250, "OK, after a while", delay=0.2)
    workers = [await start_worker(live, sink, sweeps=2) for _ in range(2)]
    assert [await asyncio.wait_for(worker.wait(), 90) for worker in workers] == [0, 0]
    for _ in range(3):
        live.clock.advance(minutes=11)
        await jobs.email(live.runtime)
    return Counter(to for mail in sink.messages for to in mail.recipients)


async def test_mails_that_are_queued_already_pass_one_per_person(live: Shop, smtp_sink: SmtpSink) -> None:
    await carts_of_everybody(live)
    for store in await registry.all_in_force():
        assert await campaigns.sweep(store, live.now) == {"queued": len(PEOPLE)}
    await limit(live, carts_per_person=1)
    assert await work(live, smtp_sink) == dict.fromkeys(PEOPLE, 1)
    ends = Counter((mail.status, mail.closed_reason) for mail in await Email.all())
    assert ends == {("sent", None): len(PEOPLE), ("cancelled", "too_often"): len(PEOPLE)}


async def test_planned_and_sent_by_several_at_once(live: Shop, smtp_sink: SmtpSink) -> None:
    await carts_of_everybody(live)
    await limit(live, mails_per_person=1)
    assert await work(live, smtp_sink) == dict.fromkeys(PEOPLE, 1)
