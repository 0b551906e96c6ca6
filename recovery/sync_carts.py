"""Takes the active carts of a shop in: the whole window each time, the money only of what changed.

A cursor over ``updated_at`` would lose guests: it does not move when an address becomes known, and moves when a rule
is edited or we read. So every round looks at all active carts, and our own digests say what changed and when.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from recovery import carts, db
from recovery.models import Cart, ConsentRecord, Order, SyncCart
from recovery.stores.base import CartSeen, ShopAway, ShopError, ShopFront
from recovery.stores.registry import StoreInForce
from recovery.stores.snapshots import CartEnd, CartSnapshot, Consent
from recovery.sync_catalogue import refs
from recovery.sync_orders import take as take_orders
from recovery.sync_round import Round

NEWSLETTER = "magento_newsletter"
#: Who types in the checkout looks idle: a cart met for the first time within this time may have been changed just now.
FIRST_SIGHT_DOUBT = timedelta(hours=1)
LOST_A_PAGE = 50
#: Carts that broke their list are tried again every so many rounds.
UNREADABLE_AGAIN = 100
RETRY_FIRST, RETRY_LATEST = timedelta(minutes=5), timedelta(hours=6)

log = structlog.get_logger()


async def read(run: Round) -> None:
    """All active carts of the window; goes on where the last round stopped, and ends with the carts that are gone."""
    state = run.state
    if state.carts_started is None:
        state.carts_started, state.carts_after, state.carts_round = run.now(), 0, state.carts_round + 1
        await run.save("carts_started", "carts_after", "carts_round")
    after: int | None = state.carts_after
    while after is not None:
        if run.is_over:
            return
        page = await run.connector.carts(state.carts_started - run.window, after, tuple(state.unreadable))
        await _take_page(run, page.carts)
        if page.skipped:
            log.warning("sync.carts_unreadable", connection=run.connection.key, carts=list(page.skipped))
            run.count("carts_unreadable", len(page.skipped))
            state.unreadable = sorted({*state.unreadable, *page.skipped})[-200:]
        after = page.last
        # At the end the last id stays: should the process die now, that much is not read again.
        state.carts_after = after if after is not None else state.carts_after
        await run.save("carts_after", "unreadable")
    await _look_for_lost(run)
    # What can't be seen may be in use this moment: it never counts as left behind.
    await carts.touched(run.connection.id, [str(number) for number in state.unreadable], run.now())
    if state.carts_round % UNREADABLE_AGAIN == 0:
        state.unreadable = []
    state.carts_read_at, state.carts_started, state.carts_after = state.carts_started, None, 0
    await run.save("carts_read_at", "carts_started", "carts_after", "unreadable")


async def _take_page(run: Round, found: tuple[CartSeen, ...]) -> None:
    numbers = [seen.quote_id for seen in found]
    known = {row.quote_id: row for row in await SyncCart.filter(connection_id=run.connection.id, quote_id__in=numbers)}
    same = []
    for seen in found:
        run.count("carts_read")
        row = known.get(seen.quote_id)
        if row is not None and row.failures == 0 and (row.acts, row.content) == (seen.acts, seen.content):
            run.count("carts_without_address", seen.email is None)
            same.append(row.id)
        else:
            await consider(run, seen, row)
    # Most carts of a round are as they were: one statement for all of them.
    await SyncCart.filter(id__in=same).update(round=run.state.carts_round)


async def consider(run: Round, seen: CartSeen, known: SyncCart | None, *, strict: bool = False) -> None:
    """Take a cart if it is new or changed, and remember how it looked.

    Raises:
        ShopAway: the shop can't be asked.
        ShopError: ``strict`` only; else a cart that can't be read is put off.
    """
    now = run.now()
    row = known or SyncCart(
        connection_id=run.connection.id, quote_id=seen.quote_id, changed_at=_first_change(seen, now)
    )
    acted = known is None or known.acts != seen.acts
    if known is not None and acted:
        row.changed_at = now
    is_new = known is None or known.content != seen.content
    due = row.failures > 0 and row.retry_at is not None and row.retry_at <= now
    row.round = run.state.carts_round
    if row.failures > 0 and not due and not strict:
        if acted:
            await carts.touched(run.connection.id, [seen.quote_id], now)
        row.round = run.state.carts_round
        await row.save()
        return
    store = run.store_of(seen.store_id)
    wanted = store is not None and (row.taken or (seen.email is not None and seen.items > 0))
    run.count("carts_without_address", seen.email is None)
    if not wanted or store is None or not (is_new or due):
        row.acts, row.content = seen.acts, seen.content
        await row.save()
        return
    try:
        await _take(run, seen, row, store, run.fronts[seen.store_id], acted)
    except ShopAway:
        raise
    except ShopError as error:
        await _put_off(run, seen, row, error, acted)
        if strict:
            raise


def _first_change(seen: CartSeen, now: datetime) -> datetime:
    told = seen.changed_at
    return now if told is None or now - told < FIRST_SIGHT_DOUBT else told


async def _take(run: Round, seen: CartSeen, row: SyncCart, store: StoreInForce, front: ShopFront, acted: bool) -> None:
    """Ask for the money and, when the shopper did something, for the orders; then write cart and memory at once."""
    if acted and seen.email is not None:
        await take_orders(run, await run.connector.orders_of([seen.quote_id], seen.email))
    products = await refs(run, store, front, set(seen.skus))
    snapshot = _dated(
        await run.connector.cart(seen, front, products), row, await _consent(run, seen), await _failed(run, seen)
    )
    row.acts, row.content = seen.acts, seen.content
    row.taken, row.failures, row.retry_at = True, 0, None
    async with db.in_transaction():
        outcome, _ = await carts.take(store.row, snapshot, run.runtime.keys, run.now())
        await row.save()
    run.count("carts", outcome == "applied")


def _dated(cart: CartSnapshot, row: SyncCart, consent: Consent | None, failed: bool) -> CartSnapshot:
    """The snapshot with what only we know: when the shopper last did something, consent, and a failed payment."""
    return replace(cart, activity_at=row.changed_at, consent=consent, payment_failed=failed)


async def _consent(run: Round, seen: CartSeen) -> Consent | None:
    """The newsletter's tick as evidence, when it says something new; never ticked is no objection."""
    if seen.newsletter is None or seen.email is None:
        return None
    person = run.runtime.keys.email_hash(seen.email)
    told = ConsentRecord.filter(connection_id=run.connection.id, email_hash=person, source=NEWSLETTER)
    last = await told.order_by("-at").first()
    if seen.newsletter == (last is not None and last.marketing):
        return None
    return Consent(seen.newsletter, run.now(), "consent", NEWSLETTER)


async def _failed(run: Round, seen: CartSeen) -> bool:
    """An active cart with a cancelled order is one whose payment failed."""
    orders = Order.filter(connection_id=run.connection.id, quote_id=seen.quote_id, state="cancelled")
    return seen.active and await orders.exists()


async def _put_off(run: Round, seen: CartSeen, row: SyncCart, error: ShopError, acted: bool) -> None:
    """This one cart can't be read; the others can, and it is tried again later, less and less often."""
    row.failures += 1
    row.retry_at = run.now() + min(RETRY_FIRST * 2 ** (row.failures - 1), RETRY_LATEST)
    # Not the new content: should it fail once more, it still counts as changed.
    row.acts, row.content = row.acts or "", row.content or ""
    await row.save()
    if acted:
        await carts.touched(run.connection.id, [seen.quote_id], run.now())
    run.count("carts_put_off")
    log.warning("sync.cart_put_off", connection=run.connection.key, cart=seen.quote_id, cause=str(error)[:200])


async def _look_for_lost(run: Round) -> None:
    """Carts of the round before that this one did not show: bought, merged, deleted, emptied, or only grown old."""
    gone = SyncCart.filter(connection_id=run.connection.id, round__lt=run.state.carts_round)
    if run.state.unreadable:
        gone = gone.exclude(quote_id__in=[str(number) for number in run.state.unreadable])
    while rows := await gone.order_by("id").limit(LOST_A_PAGE):
        await settle(run, rows)
        await SyncCart.filter(id__in=[row.id for row in rows], round__lt=run.state.carts_round).delete()
        await run.save()


async def settle(run: Round, rows: list[SyncCart]) -> None:
    """Find out what became of these carts."""
    numbers = [row.quote_id for row in rows if row.taken]
    if not numbers:
        return
    await take_orders(run, await run.connector.orders_of(numbers))
    asked_at = run.now()
    found = {seen.quote_id: seen for seen in await run.connector.carts_by_id(numbers)}
    for row in rows:
        seen = found.get(row.quote_id)
        if seen is not None and seen.active:
            if seen.content != row.content:
                await consider(run, seen, row)
        elif row.taken:
            await _end(run, row.quote_id, asked_at)


async def _end(run: Round, quote_id: str, at: datetime) -> None:
    """Not active any more and not bought: merged into another cart at a login, or deleted."""
    cart = await Cart.get_or_none(connection_id=run.connection.id, quote_id=quote_id).prefetch_related("store")
    ordered = await Order.filter(connection_id=run.connection.id, quote_id=quote_id).exclude(state="cancelled").exists()
    if cart is None or ordered:
        return
    async with db.in_transaction():
        await carts.end(cart.store, CartEnd(quote_id, at), run.now())
    run.count("carts_gone")
