"""Takes cart snapshots in: the only writer of carts and their lines."""

import hashlib
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

import orjson

from recovery import db, episodes, persons
from recovery.bought_elsewhere import contact_hashes
from recovery.models import Abandonment, Cart, CartItem, Coupon, Order, Store
from recovery.persons import lock_persons, record_consent
from recovery.secrets import Keys
from recovery.stores.snapshots import CartEnd, CartSnapshot, Consent, Customer, is_newer, not_ahead

Taken = Literal["applied", "older"]


async def take(store: Store, cart: CartSnapshot, keys: Keys, now: datetime) -> tuple[Taken, str | None]:
    """Apply a snapshot inside the caller's transaction; the outcome and the person's hash.

    An older snapshot changes nothing (but its consent still counts as evidence). An unchanged fingerprint is no
    activity; a changed one ends the open abandonment as superseded.
    """
    known = await Cart.get_or_none(connection_id=store.connection_id, quote_id=cart.quote_id)
    told = keys.email_hash(cart.customer.email) if cart.customer.email else None
    person = told or (known.email_hash if known else None)
    await lock_persons(store.connection_id, [person, known.email_hash if known else None])
    await db.lock(store.connection_id, f"quote {cart.quote_id}")
    if await was_erased(store.connection_id, cart, person, keys):
        return "older", person
    if cart.consent and person:
        await hear_consent(store.connection_id, person, cart.consent, now)
    row = await Cart.filter(connection_id=store.connection_id, quote_id=cart.quote_id).select_for_update().get_or_none()
    if row is None:
        row = _new(store, cart, now)
    elif not is_newer(cart.version, cart.occurred_at, row.version, row.occurred_at):
        return "older", person
    await _apply(row, store, cart, told, keys, now)
    return "applied", person


async def was_erased(connection_id: int, cart: CartSnapshot, person: str | None, keys: Keys) -> bool:
    """Whether this is news from before its person or the cart itself was erased, which must not come back."""
    if await persons.was_erased(connection_id, person, cart.occurred_at):
        return True
    mark = keys.pseudonym("quote", cart.quote_id)
    return await Cart.exists(connection_id=connection_id, quote_id=mark, received_at__gte=cart.occurred_at)


async def end(store: Store, cart: CartEnd, now: datetime) -> Taken:
    """A cart was deleted or merged; a cart not yet known leaves a mark, so that a late snapshot stays late."""
    await db.lock(store.connection_id, f"quote {cart.quote_id}")
    row = await Cart.filter(connection_id=store.connection_id, quote_id=cart.quote_id).select_for_update().get_or_none()
    if row is None:
        row = Cart(
            connection_id=store.connection_id,
            store_id=store.id,
            quote_id=cart.quote_id,
            activity_at=cart.occurred_at,
            created_at=cart.occurred_at,
            fingerprint="",
            currency=store.currency,
            currency_digits=2,
            total=0,
        )
    elif not is_newer(cart.version, cart.occurred_at, row.version, row.occurred_at):
        return "older"
    row.version = row.version if cart.version is None else cart.version
    row.occurred_at, row.received_at = cart.occurred_at, now
    row.merged_into = cart.into_quote_id
    if row.status != "ordered":
        row.status = "merged" if cart.into_quote_id else "deleted"
    await row.save()
    await _supersede(row, now, unless_fingerprint=None)
    return "applied"


async def restored(store: Store, quote_id: str, at: datetime) -> Taken:
    """The shop let a customer into the saved cart by our hand-off."""
    changed = await Cart.filter(connection_id=store.connection_id, quote_id=quote_id).update(restored_at=at)
    return "applied" if changed else "older"


async def touched(connection_id: int, quote_ids: list[str], at: datetime) -> None:
    """These carts are in use, though what is in them now can't be told: they have not been left behind."""
    await Cart.filter(connection_id=connection_id, quote_id__in=quote_ids, activity_at__lt=at).update(activity_at=at)


async def hear_consent(connection_id: int, email_hash: str, consent: Consent, now: datetime) -> None:
    """Keep what a person said about marketing mail, and act on it at once. Call with the person locked."""
    # By a clock that runs ahead, a word would count as the latest until that time, whatever is said after it.
    consent = replace(consent, at=not_ahead(consent.at, now))
    if await record_consent(connection_id, email_hash, consent):
        await take_back_for_person(connection_id, email_hash, "objection", now)
    else:
        await episodes.look_again(connection_id, email_hash, now)


async def take_back_for_person(
    connection_id: int, email_hash: str, reason: str, now: datetime, store_id: int | None = None
) -> int:
    """Take back every mail of one person that has not gone out yet, at one store or all; how many."""
    rows = Abandonment.filter(connection_id=connection_id, email_hash=email_hash, open_key__isnull=False)
    mine = await (rows.filter(store_id=store_id) if store_id else rows)
    return await episodes.take_back_emails([row.id for row in mine], reason, now, "suppressed")


def fingerprint(cart: CartSnapshot, email_hash: str | None, put_in: Collection[str] = ()) -> str:
    """What the shopper did, condensed: lines, codes, stage, address.

    Prices are the shop's doing and not part of it; ``put_in`` are the codes that are ours.
    """
    codes = sorted(code for code in cart.coupon_codes if code.upper() not in put_in)
    lines = [[i.product_id, i.quantity, sorted(i.options)] for i in cart.items]
    parts = [lines, codes, cart.checkout_stage, cart.payment_failed, email_hash, cart.currency]
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def _new(store: Store, cart: CartSnapshot, now: datetime) -> Cart:
    return Cart(
        connection_id=store.connection_id,
        quote_id=cart.quote_id,
        created_at=cart.created_at or cart.occurred_at,
        activity_at=min(cart.activity_at or cart.occurred_at, now),
        fingerprint="",
    )


async def _apply(row: Cart, store: Store, cart: CartSnapshot, told: str | None, keys: Keys, now: datetime) -> None:
    is_new = row.pk is None
    email_hash = told or row.email_hash
    changed = fingerprint(cart, email_hash, await _put_in(row, cart))
    status = await _status(store.connection_id, cart)
    # A cart given back, as after a failed payment, is as good as touched.
    given_back = status == "active" != row.status
    if not is_new and (changed != row.fingerprint or given_back):
        row.activity_at = max(row.activity_at, min(cart.activity_at or cart.occurred_at, now))
    row.status, row.fingerprint = status, changed
    row.store_id, row.email_hash = store.id, email_hash
    row.occurred_at, row.received_at, row.merged_into = cart.occurred_at, now, None
    row.version = row.version if cart.version is None else cart.version
    row.update_from_dict(_customer(cart.customer, row) | _contacts(cart.customer, keys))
    row.update_from_dict(
        {
            name: getattr(cart, name)
            for name in (
                "currency", "currency_digits", "total", "subtotal", "discount", "shipping", "tax", "base_total",
                "checkout_stage", "payment_failed", "intent_trace", "locale", "cart_url", "restore_url", "is_bot",
            )
        }
        | {"coupon_codes": list(cart.coupon_codes)}
    )  # fmt: skip
    await row.save()
    await _write_items(row, cart, is_new=is_new)
    await _supersede(row, now, unless_fingerprint=changed)


def _customer(told: Customer, row: Cart) -> dict[str, Any]:
    """The customer columns; an address, once told, is never unset by a snapshot without one."""
    return {
        "email": told.email or row.email,
        "customer_id": told.id or row.customer_id,
        "registered": told.registered,
        "first_name": told.first_name or row.first_name,
        "customer_group": told.group or row.customer_group,
        "orders_count": row.orders_count if told.orders_count is None else told.orders_count,
    }


def _contacts(told: Customer, keys: Keys) -> dict[str, str]:
    """Hashes of phone and postcode, as far as they were told this time."""
    return {name: value for name, value in contact_hashes(keys, told).items() if value}


async def _put_in(row: Cart, cart: CartSnapshot) -> set[str]:
    """The codes that we put into this cart ourselves."""
    if row.pk is None or not cart.coupon_codes:
        return set()
    mine = await Coupon.filter(cart_id=row.id, attached=True).values_list("code", flat=True)
    return {str(code).upper() for code in mine}


async def _status(connection_id: int, cart: CartSnapshot) -> str:
    """``ordered`` absorbs; after a cancellation only a newer snapshot makes the cart active again."""
    orders = await Order.filter(connection_id=connection_id, quote_id=cart.quote_id)
    if any(order.state != "cancelled" for order in orders):
        return "ordered"
    if any(order.cancelled_at and order.cancelled_at >= cart.occurred_at for order in orders):
        return "inactive"
    return "active" if cart.active else "inactive"


async def _write_items(row: Cart, cart: CartSnapshot, *, is_new: bool) -> None:
    if not is_new:
        await CartItem.filter(cart_id=row.id).delete()
    await CartItem.bulk_create(
        CartItem(
            cart_id=row.id,
            position=position,
            line_id=item.line_id,
            product_id=item.product_id,
            parent_id=item.parent_id,
            sku=item.sku,
            name=item.name,
            quantity=item.quantity,
            row_total=item.row_total,
            row_total_before_discount=item.row_total_before_discount,
            unit_price=item.unit_price,
            options=[{"name": name, "value": value} for name, value in item.options],
            url=item.url,
            image_url=item.image_url,
        )
        for position, item in enumerate(cart.items)
    )


async def _supersede(row: Cart, now: datetime, unless_fingerprint: str | None) -> None:
    found = await Abandonment.filter(open_key=row.id).select_for_update().get_or_none()
    if found is not None and found.fingerprint != unless_fingerprint:
        await episodes.close(found, "superseded", now)
