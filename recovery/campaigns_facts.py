"""Loads what the checks look at: cart, orders, consent and earlier mails of an abandonment, as they are now."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tortoise.expressions import Q

from recovery import complaints
from recovery.bought_elsewhere import OrderTrace, Purchase, Trace, items_key, likely_purchase, window
from recovery.eligibility import Facts, PersonMail
from recovery.models import Abandonment, Cart, CartItem, Decision, Email, Order, Product
from recovery.persons import latest_consent, suppression_in_force
from recovery.stores.registry import StoreInForce

UNDER_WAY = ("pending", "claimed", "sending")
#: Has passed the point of no return; ``unknown`` may have arrived.
PASSED = ("sending", "sent", "unknown")
MOST_LIKELY_PURCHASES = 50


async def load(
    store: StoreInForce, abandonment: Abandonment, step: int, now: datetime, *, at_the_point: bool = False
) -> Facts:
    """The facts of one step (from 0).

    A mail that waits in the queue counts against the limits when another is planned, but not ``at_the_point`` of no
    return: there the first to come goes.
    """
    cart = await Cart.get(id=abandonment.cart_id)
    items = await CartItem.filter(cart_id=cart.id)
    person = abandonment.email_hash or ""
    orders = await _orders(abandonment, cart)
    since = [o for o in orders if o.placed_at >= cart.activity_at or o.quote_id == cart.quote_id]
    before = [o.placed_at for o in orders if o not in since and o.state not in {"pending", "cancelled"}]
    suppression = await suppression_in_force(store.row.connection_id, store.row.id, person)
    consent = await latest_consent(store.row.connection_id, person)
    return Facts(
        settings=store.settings,
        zone=store.zone,
        store_mode=store.row.mode,
        live_since=store.row.live_since,
        abandonment_id=abandonment.id,
        detected_at=abandonment.detected_at,
        due_at=await step_due_at(store, abandonment, step) or abandonment.detected_at,
        score=abandonment.score,
        arm=abandonment.arm,
        fingerprint=abandonment.fingerprint,
        cart_fingerprint=cart.fingerprint,
        cart_status=cart.status,
        items=len(items),
        items_gone=await _gone(store, items),
        address=cart.email,
        email_hash=abandonment.email_hash,
        cart_email_hash=cart.email_hash,
        is_bot=cart.is_bot,
        ordered_at=max((o.placed_at for o in since if o.state not in {"pending", "cancelled"}), default=None),
        pending_order_at=max((o.placed_at for o in since if o.state == "pending"), default=None),
        last_order_at=max(before, default=None),
        purchase=await _purchase(store, cart, items),
        suppressed_by=suppression.cause if suppression else None,
        consent=consent.marketing if consent else None,
        consent_basis=consent.basis if consent else None,
        is_customer=any(o.state != "cancelled" for o in orders),
        stopped_by_complaints=await complaints.stop_in_force(store.row.connection_id) is not None,
        earlier=await _earlier(abandonment, step),
        person_mails=tuple(await _person_mails(store, person, now, at_the_point=at_the_point)),
    )


async def step_due_at(store: StoreInForce, abandonment: Abandonment, step: int) -> datetime | None:
    """When a step (from 0) is due, counted from the detection; None when the sequence has no such step.

    After a message that went out late the following ones keep their distance from it.
    """
    steps = store.settings.steps
    if step >= len(steps):
        return None
    planned = abandonment.detected_at + timedelta(minutes=steps[step].delay_minutes)
    gone = Email.filter(abandonment_id=abandonment.id, step__lt=step, status__in=PASSED).order_by("-step")
    last = await gone.first()
    if last is None:
        return planned
    distance = steps[step].delay_minutes - steps[last.step].delay_minutes
    return max(planned, _passed_at(last) + timedelta(minutes=distance))


async def _orders(abandonment: Abandonment, cart: Cart) -> list[Order]:
    """Every order of the cart or of its person, by quote, address or customer id."""
    mine = Order.filter(connection_id=abandonment.connection_id)
    found = [
        *await mine.filter(quote_id=cart.quote_id),
        *await mine.filter(email_hash=abandonment.email_hash),
        *(await mine.filter(customer_id=cart.customer_id) if cart.customer_id else []),
    ]
    return list({order.id: order for order in found}.values())


async def _gone(store: StoreInForce, items: Sequence[CartItem]) -> int:
    """How many lines are of products that can't be bought now; what is not in the catalogue counts as buyable."""
    ids = {number for item in items for number in (item.product_id, item.parent_id) if number}
    known = {row.product_id: row for row in await Product.filter(store_id=store.row.id, product_id__in=sorted(ids))}

    def is_gone(item: CartItem) -> bool:
        product, parent = known.get(item.product_id), known.get(item.parent_id or "")
        if parent is not None and not parent.active:
            return True
        product = product or parent
        return product is not None and not (product.active and product.in_stock)

    return sum(is_gone(item) for item in items)


async def _purchase(store: StoreInForce, cart: Cart, items: Sequence[CartItem]) -> Purchase | None:
    """The order of somebody else that was probably this cart's."""
    hours = store.settings.bought_elsewhere_hours
    products = frozenset(item.product_id for item in items)
    signs = {"phone_hash": cart.phone_hash, "postcode_hash": cart.postcode_hash, "items_key": items_key(products)}
    known = [Q(**{name: value}) for name, value in signs.items() if value]
    if not hours or not known:
        return None
    since, until = window(cart.created_at, cart.activity_at, hours)
    rows = (
        await Order.filter(
            Q(*known, join_type=Q.OR), connection_id=cart.connection_id, placed_at__gte=since, placed_at__lte=until
        )
        .exclude(state="cancelled")
        .order_by("placed_at")
        .limit(MOST_LIKELY_PURCHASES)
    )
    orders = [OrderTrace(row.placed_at, _trace(row)) for row in rows]
    mine = Trace(cart.email_hash, cart.phone_hash, cart.postcode_hash, products)
    return likely_purchase(mine, orders, until)


def _trace(order: Order) -> Trace:
    products = frozenset(str(item["product_id"]) for item in order.items or [])
    return Trace(order.email_hash, order.phone_hash, order.postcode_hash, products)


async def _earlier(abandonment: Abandonment, step: int) -> str | None:
    """What keeps an earlier message about this cart from having gone."""
    statuses = {row.status for row in await Email.filter(abandonment_id=abandonment.id, step__lt=step).only("status")}
    if "failed" in statuses:
        return "failed"
    return "under_way" if statuses & set(UNDER_WAY) else None


async def _person_mails(store: StoreInForce, person: str, now: datetime, *, at_the_point: bool) -> list[PersonMail]:
    """The person's recovery mails of the days that the limits look at, in all stores of the connection.

    A store that observes also counts what it would have sent.
    """
    since = now - timedelta(days=store.settings.per_person_days)
    counting = PASSED if at_the_point else (*PASSED, *UNDER_WAY)
    rows = await Email.filter(
        Q(sent_at__gt=since) | Q(closed_at__gt=since) | Q(status__in=UNDER_WAY),
        connection_id=store.row.connection_id,
        email_hash=person,
        status__in=counting,
    )
    found = [
        PersonMail(row.abandonment_id, now if row.status in UNDER_WAY else _passed_at(row), row.status in UNDER_WAY)
        for row in rows
    ]
    if store.row.mode == "observing":
        would = await Decision.filter(
            outcome="would_send",
            at__gt=since,
            abandonment__connection_id=store.row.connection_id,
            abandonment__email_hash=person,
        )
        found += [PersonMail(decision.abandonment_id, decision.at) for decision in would]
    return found


def _passed_at(mail: Email) -> datetime:
    return mail.sent_at or mail.closed_at or mail.created_at
