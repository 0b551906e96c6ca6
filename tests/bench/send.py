"""Sending with ledger, states and every check, against a bare loop that sends ready-made bytes."""

import asyncio
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import asyncpg
from aiosmtplib import SMTP

from recovery.stores import registry
from tests.bench.carts import fill, settle
from tests.bench.place import Place, program
from tests.bench.ratios import PAIRS, Costs, Figure, in_pairs
from tests.shop import READY, Shop, open_shop

#: At least half as fast.
MOST = 2.0


async def queue(shop: Shop, raw: asyncpg.Connection, count: int) -> None:
    """Queued mails, each of a cart of its own."""
    await shop.set(**READY)
    await registry.set_mode(shop.store, "live", shop.now - timedelta(days=1))
    await fill(raw, shop, shop.store.id, count, count)
    await settle(raw, "cart", "cart_item")
    assert await shop.detect(count) == count
    assert await shop.score(count) == count
    shop.clock.advance(hours=5)
    planned = await shop.plan(count)
    assert planned.get("queued") == count, planned
    await settle(raw, "abandonment", "email", "decision", "person")


async def delivered(shop: Shop, count: int) -> Costs:
    """Milliseconds a mail of one sweep."""
    started = time.perf_counter()
    run = await shop.deliver(count)
    took = time.perf_counter() - started
    assert run.counts == {"sent": count}, (run.counts, run.relay_trouble)
    return {"each": 1000 * took / count}


async def sent_bare(port: int, body: bytes, slots: int, count: int) -> Costs:
    """Milliseconds a mail over as many connections as the sweep has."""
    left = iter(range(count))

    async def worker() -> None:
        async with SMTP(hostname="127.0.0.1", port=port, use_tls=False, start_tls=False) as smtp:
            for number in left:
                await smtp.sendmail("shop@example.com", f"c{number}@example.com", body)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(slots)))
    return {"each": 1000 * (time.perf_counter() - started) / count}


async def run(place: Place) -> list[Figure]:
    """The case."""
    count = place.size(400, 5)
    with tempfile.TemporaryDirectory() as folder:
        newest = Path(folder) / "mail"
        async with program("mail_sink", str(newest)) as sink:
            assert sink.stdout is not None
            port = int(await sink.stdout.readline())
            with place.settings(smtp_host="127.0.0.1", smtp_port=port) as settings:
                raw = await asyncpg.connect(settings.database_url)
                async with open_shop(settings) as shop:
                    await queue(shop, raw, count * (PAIRS + 1))
                    slots = settings.send_slots
                    found = await in_pairs(
                        lambda: delivered(shop, count), lambda: sent_bare(port, newest.read_bytes()[:-5], slots, count)
                    )
                await raw.close()
    name = f"a mail of {count * PAIRS:,}, {slots} at once"
    return [Figure("send", name, "ms", found["each"], MOST)]
