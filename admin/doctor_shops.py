"""The doctor on the shops that are asked rather than tell: whether they can be read, and how long ago they were."""

from datetime import datetime, timedelta

from admin.findings import Finding, good, note, wrong
from recovery.models import Connection, ShopPage, SyncCart, SyncState
from recovery.stores.connectors import ASKED
from recovery.text import duration

#: A shop is read every few minutes; a slow one takes its rest of nine times that.
TOO_LONG_AGO = timedelta(hours=1)


async def examine(now: datetime) -> list[Finding]:
    """Each shop that is asked."""
    states = {state.connection_id: state for state in await SyncState.all()}
    connections = await Connection.filter(platform__in=ASKED).order_by("key")
    found = [await _shop(connection, states.get(connection.id), now) for connection in connections]
    return [*found, *[finding for c in connections for finding in await _pages(c, states.get(c.id))]]


async def _pages(connection: Connection, state: SyncState | None) -> list[Finding]:
    """Pages used as policies that can't be read, or that the shop shows no more."""
    subject = f"Pages of {connection.key}"
    error = ((state.pages if state else None) or {}).get("error")
    if error is not None:
        test = f"`cartback stores connect test {connection.key}` says what is missing."
        return [wrong(subject, f"can't be read anew: {error}", test)]
    gone = await ShopPage.filter(store__connection_id=connection.id, missing_since__isnull=False).order_by("id")
    return [
        note(subject, f"{page.title!r} is gone from the shop, so the assistants do not know it",
             f"Choose another: `cartback stores pages use`, then forget {page.kind}:{page.identifier}.")
        for page in gone
    ]  # fmt: skip


async def _shop(connection: Connection, state: SyncState | None, now: datetime) -> Finding:
    subject = f"Shop {connection.key}"
    test = f"`cartback stores connect test {connection.key}` says what is missing."
    if state is None or (state.carts_read_at is None and state.error is None):
        return note(subject, "not read yet", f"The worker does it, or `cartback sync --connection {connection.key}`.")
    if state.error is not None:
        return wrong(subject, f"can't be read: {state.error}", test)
    assert state.carts_read_at is not None
    ago = now - state.carts_read_at
    words = f"all its carts were read {duration(max(0, int(ago.total_seconds() // 60)))} ago"
    if ago > TOO_LONG_AGO:
        return wrong(subject, f"{words}; until they are again, none counts as left behind", test)
    carts = SyncCart.filter(connection_id=connection.id)
    words += f": {await carts.count()} active, {await carts.filter(taken=True).count()} with an address"
    if state.unreadable:
        words += f"; {len(state.unreadable)} can't be read by Magento itself"
    return good(subject, words)
