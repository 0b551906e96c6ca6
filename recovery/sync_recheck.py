"""Asks the shop once more about one cart and its orders, just before a mail goes out."""

from recovery.models import Cart, Connection, SyncCart
from recovery.runtime import Runtime
from recovery.stores.base import Connector
from recovery.sync_carts import consider, settle
from recovery.sync_orders import take as take_orders
from recovery.sync_round import begin

#: What was asked longer ago does not count when the mail goes out.
GOOD_FOR_SECONDS = 60.0


async def ask_again(runtime: Runtime, connector: Connector, cart: Cart) -> None:
    """Bring a cart, its orders and those of its person up to date. Call outside of any transaction.

    Raises:
        ShopError: the shop can't be asked; then nobody knows, and nothing must be sent.
    """
    run = await begin(runtime, await Connection.get(id=cart.connection_id), connector)
    if not run.stores:
        return
    await take_orders(run, await connector.orders_of([cart.quote_id], cart.email))
    known = await SyncCart.get_or_none(connection_id=cart.connection_id, quote_id=cart.quote_id)
    seen = next(iter(await connector.carts_by_id([cart.quote_id])), None)
    if seen is not None and seen.active:
        await consider(run, seen, known, strict=True)
    else:
        mine = {"connection_id": cart.connection_id, "quote_id": cart.quote_id}
        await settle(run, [known or SyncCart(**mine, acts="", content="", changed_at=runtime.now(), taken=True)])
