"""Takes the orders of a shop in: those that changed since the last round, and those of one cart or person."""

from collections.abc import Iterable
from datetime import timedelta

from recovery import db, orders
from recovery.stores.base import OrderSeen
from recovery.sync_round import Round

#: Rows may become visible a moment after the time they carry.
OVERLAP = timedelta(minutes=2)


async def read(run: Round) -> None:
    """Every order that changed since the last complete reading; goes on where the last round stopped."""
    state = run.state
    since = state.orders_since or run.now() - run.window
    started = state.orders_started = state.orders_started or run.now()
    after: int | None = state.orders_after
    while after is not None and not run.is_over:
        page = await run.connector.orders(since, after)
        await take(run, page.orders)
        run.count("orders_unreadable", len(page.skipped))
        after = page.last
        state.orders_after = after or 0
        if after is None:
            state.orders_since, state.orders_started = started - OVERLAP, None
        await run.save("orders_after", "orders_since", "orders_started")


async def take(run: Round, found: Iterable[OrderSeen]) -> None:
    """Apply orders, each in a transaction of its own."""
    for seen in found:
        # An order in a shop front that was not chosen still says that its customer bought.
        store = run.store_of(seen.store_id) or next(iter(run.stores.values()))
        async with db.in_transaction():
            outcome, _ = await orders.take(store.row, store.settings, seen.order, run.runtime.keys, run.now())
        run.count("orders", outcome == "applied")
