"""Several workers and several carts of the same people at once: nobody gets more than the limit, and nobody nothing."""

import asyncio
from collections import Counter

import pytest

from recovery import campaigns, delivery, jobs
from recovery.models import Email
from recovery.stores import registry
from tests.reliability.workers import start_worker
from tests.shop import Shop, item
from tests.smtp_sink import EVERYBODY, SmtpSink

pytestmark = pytest.mark.faults
PEOPLE = [f"p{number}@example.com" for number in range(8)]


async def carts_of_everybody(live: Shop, second_store: str) -> None:
    """Two carts each, the second perhaps in another store of the same shop, all detected and scored."""
    for person in PEOPLE:
        await live.cart(f"{person} 1", customer={"email": person})
        cart = {"quote_id": f"{person} 2", "currency": "EUR", "total": 100, "items": [item("other")]}
        await live.tell("cart.updated", cart | {"customer": {"email": person}}, store=second_store)
    live.clock.advance(minutes=31)
    await jobs.detect(live.runtime)
    await jobs.score(live.runtime)


async def after_the_pauses(live: Shop) -> None:
    """What still waits is decided."""
    for _ in range(2):
        live.clock.advance(minutes=11)
        await jobs.email(live.runtime)


def mails_of_everybody(sink: SmtpSink) -> Counter[str]:
    """How many mails each person got, as the relay saw it."""
    return Counter(to for mail in sink.messages for to in mail.recipients)


async def test_two_workers_send_one_of_two_queued_mails_of_each_person(live: Shop, smtp_sink: SmtpSink) -> None:
    await carts_of_everybody(live, "en")
    assert await live.plan() == {"queued": 2 * len(PEOPLE)}
    await live.set(carts_per_person=1)
    smtp_sink.answer(EVERYBODY, "after_dot", 250, "OK, after a while", delay=0.2)
    workers = [await start_worker(live, smtp_sink) for _ in range(2)]
    assert [await asyncio.wait_for(worker.wait(), 90) for worker in workers] == [0, 0]
    await after_the_pauses(live)
    assert mails_of_everybody(smtp_sink) == dict.fromkeys(PEOPLE, 1)
    ends = Counter((mail.status, mail.closed_reason) for mail in await Email.all())
    assert ends == {("sent", None): len(PEOPLE), ("cancelled", "too_often"): len(PEOPLE)}


async def test_two_stores_of_a_shop_plan_and_send_at_once(live: Shop, smtp_sink: SmtpSink) -> None:
    store = await registry.add_store(
        live.connection, "de", "Tatra", language="de", currency="EUR", timezone="Europe/Warsaw"
    )
    await live.set(mails_per_person=1)
    await registry.change_settings(store, dict(live.store.settings))
    await registry.set_mode(store, "live", live.now)
    await carts_of_everybody(live, "de")
    stores = await registry.all_in_force()

    async def run(store: registry.StoreInForce) -> None:
        await campaigns.sweep(store, live.now)
        await delivery.sweep(live.runtime, store)

    await asyncio.gather(*(run(store) for store in stores))
    await after_the_pauses(live)
    assert mails_of_everybody(smtp_sink) == dict.fromkeys(PEOPLE, 1)
