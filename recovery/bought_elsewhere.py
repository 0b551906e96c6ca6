"""Whether a cart was probably bought under another address: the same phone, the same place and product, or the very
same products."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from recovery.secrets import Keys
from recovery.stores.snapshots import Customer
from recovery.text import phone_digits, plain_postcode

Sign = Literal["phone", "postcode", "items"]


@dataclass(frozen=True)
class Trace:
    """What a cart or an order shows of who and what: keyed hashes, product ids."""

    person: str | None
    phone_hash: str | None
    postcode_hash: str | None
    products: frozenset[str]


@dataclass(frozen=True)
class OrderTrace:
    """An order of somebody else, and when it was placed."""

    placed_at: datetime
    trace: Trace


@dataclass(frozen=True)
class Purchase:
    """The order that was probably this cart's: what speaks for it, when it was placed, until when that holds a mail."""

    sign: Sign
    placed_at: datetime
    holds_until: datetime


def contact_hashes(keys: Keys, customer: Customer) -> dict[str, str | None]:
    """The columns by which carts and orders of one customer are known: what the shop wrote, else its own hashes.

    Those are hashed once more, since a shop may send a hash that anybody can reckon back, or the number itself.
    """
    phone, postcode = phone_digits(customer.phone or ""), plain_postcode(customer.postcode or "")
    told = {
        "phone": phone,
        "postcode": postcode,
        "told phone": customer.phone_hash,
        "told postcode": customer.postcode_hash,
    }
    hashed = {kind: keys.contact_hash(kind, value) if value else None for kind, value in told.items()}
    return {f"{kind}_hash": hashed[kind] or hashed[f"told {kind}"] for kind in ("phone", "postcode")}


def items_key(products: Iterable[str]) -> str | None:
    """A digest of which products, however many of each; the same for a cart and the order it became."""
    ids = sorted(set(products))
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()[:32] if ids else None


def window(begun_at: datetime, changed_at: datetime, hours: int) -> tuple[datetime, datetime]:
    """Between which moments an order can have been the purchase of a cart: not before the cart was begun."""
    return max(begun_at, changed_at - timedelta(hours=hours)), changed_at + timedelta(hours=hours)


def likely_purchase(cart: Trace, orders: Sequence[OrderTrace], until: datetime) -> Purchase | None:
    """The order of somebody else that was probably this cart's, of several the one with the clearest sign.

    The very same products are a sign only where a single other person bought them, and neither phone nor postcode says
    that it was somebody else: what many buy says nothing.
    """
    others = [order for order in orders if order.trace.person != cart.person]
    for sign in ("phone", "postcode", "items"):
        found = [order for order in others if _has(sign, cart, order.trace)]
        if sign == "items" and len({order.trace.person for order in found}) > 1:
            return None
        if found:
            return Purchase(sign, min(order.placed_at for order in found), until)
    return None


def _has(sign: Sign, cart: Trace, order: Trace) -> bool:
    if sign == "phone":
        return cart.phone_hash is not None and cart.phone_hash == order.phone_hash
    if sign == "postcode":
        same_place = cart.postcode_hash is not None and cart.postcode_hash == order.postcode_hash
        return same_place and bool(cart.products & order.products)
    same = bool(cart.products) and cart.products == order.products
    return (
        same and not _differ(cart.phone_hash, order.phone_hash) and not _differ(cart.postcode_hash, order.postcode_hash)
    )


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other
