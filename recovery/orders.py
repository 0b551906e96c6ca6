"""Takes orders in: the only writer of orders; marks abandonments recovered and takes that back on a cancellation."""

from dataclasses import replace
from datetime import datetime, timedelta

from recovery import attribution, coupons, db, episodes, persons
from recovery.bought_elsewhere import contact_hashes, items_key
from recovery.carts import Taken
from recovery.models import Abandonment, Cart, Order, Store
from recovery.persons import lock_persons
from recovery.secrets import Keys
from recovery.store_settings import StoreSettings
from recovery.stores.snapshots import Customer, Item, OrderSnapshot, is_newer


async def take(
    store: Store, settings: StoreSettings, order: OrderSnapshot, keys: Keys, now: datetime
) -> tuple[Taken, str | None]:
    """Apply an order's snapshot inside the caller's transaction; the outcome and the person's hash.

    A non-cancelled order absorbs its cart and recovers its latest abandonment; a cancelled one takes that back.
    """
    person = keys.email_hash(order.customer.email) if order.customer.email else None
    if await was_erased(store.connection_id, order, keys):
        order = _without_person(order, keys)
    elif await persons.was_erased(store.connection_id, person, order.occurred_at):
        return "older", person
    known = await Order.get_or_none(connection_id=store.connection_id, order_id=order.order_id)
    quote_id = order.quote_id or (known.quote_id if known else None)
    cart = await Cart.get_or_none(connection_id=store.connection_id, quote_id=quote_id) if quote_id else None
    named = await attribution.persons_named(store.connection_id, order.ref, order.coupon_codes)
    await lock_persons(store.connection_id, [person, cart.email_hash if cart else None, *named])
    # The order's own lock serialises two first snapshots of it; the quote's lock serialises it with its cart.
    await db.lock(store.connection_id, f"order {order.order_id}")
    if quote_id:
        await db.lock(store.connection_id, f"quote {quote_id}")
    row = await Order.filter(connection_id=store.connection_id, order_id=order.order_id).get_or_none()
    if row is None:
        row = Order(connection_id=store.connection_id, store_id=store.id, order_id=order.order_id)
    elif not is_newer(order.version, order.occurred_at, row.version, row.occurred_at):
        return "older", person
    _fill(row, store, order, person if order.customer.email else None, now)
    _fill_traces(row, order, keys)
    await row.save()
    await coupons.note_order(row, now)
    cart = await _absorb_cart(row, now)
    if row.state == "cancelled":
        await _take_back_recovery(row, now)
    else:
        source = await _attribute(row, cart, settings)
        await _recover(row, cart, source, settings, now)
    return "applied", person


async def attribute_again(store: Store, quote_id: str, settings: StoreSettings) -> None:
    """The shop has told of a link after the order that it led to: look at the orders of that cart again."""
    cart = await Cart.get_or_none(connection_id=store.connection_id, quote_id=quote_id)
    standing = Order.filter(connection_id=store.connection_id, quote_id=quote_id).exclude(state="cancelled")
    for order in await standing.order_by("id").select_for_update():
        await _attribute(order, cart, settings)


async def _attribute(order: Order, cart: Cart | None, settings: StoreSettings) -> attribution.Source:
    """Keep what brought the order, so that reports need not look again."""
    source = await attribution.trace(order, cart, timedelta(days=settings.attribution_days))
    order.attribution = attribution.surer(order.attribution, source.way)
    await order.save(update_fields=["attribution"])
    return source


async def was_erased(connection_id: int, order: OrderSnapshot, keys: Keys) -> bool:
    """Whether this order is known, but not whose it was."""
    return await Order.exists(connection_id=connection_id, order_id=keys.pseudonym("order", order.order_id))


def _without_person(order: OrderSnapshot, keys: Keys) -> OrderSnapshot:
    """News of an order whose person was erased: its money and state count on, whose it was stays forgotten."""
    return replace(
        order, order_id=keys.pseudonym("order", order.order_id), customer=Customer(), number=None, quote_id=None,
        items=None, coupon_codes=(), ref=None,
    )  # fmt: skip


def _fill(row: Order, store: Store, order: OrderSnapshot, person: str | None, now: datetime) -> None:
    told = {
        "store_id": store.id,
        "number": order.number or row.number,
        "version": row.version if order.version is None else order.version,
        "occurred_at": order.occurred_at,
        "received_at": now,
        "quote_id": order.quote_id or row.quote_id,
        "state": order.state,
        "placed_at": order.placed_at,
        "cancelled_at": (row.cancelled_at or order.occurred_at) if order.state == "cancelled" else None,
        "currency": order.currency,
        "currency_digits": order.currency_digits,
        "total": order.total,
        "refunded_total": order.refunded_total,
        "base_total": order.base_total,
        "email_hash": person or row.email_hash,
        "customer_id": order.customer.id or row.customer_id,
        "registered": order.customer.registered,
        "items": row.items if order.items is None else [_item(item) for item in order.items],
        "coupon_codes": list(order.coupon_codes),
        "ref": order.ref or row.ref,
    }
    for name, value in told.items():
        setattr(row, name, value)


def _fill_traces(row: Order, order: OrderSnapshot, keys: Keys) -> None:
    """What tells whether it was somebody's cart under another address."""
    for name, value in contact_hashes(keys, order.customer).items():
        if value:
            setattr(row, name, value)
    if order.items is not None:
        row.items_key = items_key(item.product_id for item in order.items)


def _item(item: Item) -> dict[str, object]:
    return {"product_id": item.product_id, "quantity": item.quantity, "row_total": item.row_total}


async def _absorb_cart(order: Order, now: datetime) -> Cart | None:
    """Mark the order's cart ordered, or give it free again when no other order holds it."""
    if order.quote_id is None:
        return None
    found = Cart.filter(connection_id=order.connection_id, quote_id=order.quote_id)
    cart = await found.select_for_update().get_or_none()
    if cart is None:
        return None
    if order.state != "cancelled":
        cart.status = "ordered"
    elif cart.status == "ordered":
        others = Order.filter(connection_id=order.connection_id, quote_id=order.quote_id).exclude(state="cancelled")
        if not await others.exists():
            # A snapshot newer than the cancellation has made it active already, or a later one will.
            newer = order.cancelled_at is not None and cart.occurred_at > order.cancelled_at
            cart.status = "active" if newer else "inactive"
            if newer:
                cart.activity_at = max(cart.activity_at, min(cart.occurred_at, now))
    cart.received_at = now
    await cart.save(update_fields=["status", "activity_at", "received_at"])
    return cart


async def _recover(
    order: Order, cart: Cart | None, source: attribution.Source, settings: StoreSettings, now: datetime
) -> None:
    if await Abandonment.filter(recovered_order_id=order.id, recovery_reversed_at=None).exists():
        await Abandonment.filter(recovered_order_id=order.id).update(
            recovered_revenue=order.total - order.refunded_total,
            recovered_currency=order.currency,
            recovered_currency_digits=order.currency_digits,
        )
        return
    since = order.placed_at - timedelta(days=settings.expire_days)
    # Whoever comes back changes the cart first, which supersedes the episode; the order still recovers it.
    mine = Abandonment.filter(
        connection_id=order.connection_id,
        detected_at__gte=since,
        detected_at__lte=order.placed_at,
        status__in=(*episodes.OPEN, "superseded", "recovered"),
    ).order_by("-detected_at", "-id")
    latest = None
    if cart is not None:
        latest = await mine.filter(cart_id=cart.id).select_for_update().first()
    elif order.quote_id is None and order.email_hash is not None:
        latest = await mine.filter(email_hash=order.email_hash).select_for_update().first()
    if latest is None and source.abandonment_id is not None:
        # The shop put what was given back into another cart; our link or coupon still says which one it was.
        latest = await mine.filter(id=source.abandonment_id).select_for_update().first()
    if latest is not None and _is_free(latest, order):
        await episodes.recover(latest, order, now)
    await _end_what_is_open(order, cart, now)


def _is_free(abandonment: Abandonment, order: Order) -> bool:
    """Not yet recovered by another order that still stands."""
    return abandonment.recovered_order_id in (None, order.id) or abandonment.recovery_reversed_at is not None


async def _end_what_is_open(order: Order, cart: Cart | None, now: datetime) -> None:
    """An episode detected after the order was placed (its news came late) has nothing to win back."""
    if cart is None:
        return
    open_one = await Abandonment.filter(open_key=cart.id).select_for_update().get_or_none()
    if open_one is not None:
        await episodes.close(open_one, "dismissed", now)


async def _take_back_recovery(order: Order, now: datetime) -> None:
    await Abandonment.filter(recovered_order_id=order.id, recovery_reversed_at=None).update(
        recovery_reversed_at=order.cancelled_at or now
    )
