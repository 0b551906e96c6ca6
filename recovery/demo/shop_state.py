"""Keeps the demo shop's carts, orders and stock, in memory and in one JSON file."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from recovery.demo.cart_state import Cart, Consent, Coupon, Order
from recovery.demo.files import unreadable, write_atomically

# No 0, 1, I or O: people read these ids aloud and type them into `cartback explain`.
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass
class ShopRecords:
    """Everything the shop remembers; ``sold`` counts pieces per variant that left the shelf."""

    session_key: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    carts: dict[str, Cart] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    consents: dict[str, Consent] = field(default_factory=dict)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    sold: dict[str, int] = field(default_factory=dict)
    order_count: int = 0

    def percent(self, store: str, code: str, now: datetime) -> int | None:
        """The discount of a code that Cartback made, 0 when it does not work; None for any other code."""
        made = self.coupons.get(code)
        if made is None:
            return None
        return made.percent if made.works(store, now) else 0

    def free_coupon_of(self, order_id: str) -> None:
        """The order is cancelled: its code may be used again."""
        for coupon in self.coupons.values():
            if coupon.order_id == order_id:
                coupon.order_id = None


_SHAPE = TypeAdapter(ShopRecords)


def load_records(path: Path) -> ShopRecords:
    """The records of the last run, or empty ones."""
    if not path.exists():
        return ShopRecords()
    try:
        return _SHAPE.validate_json(path.read_bytes())
    except ValidationError as error:
        raise unreadable(path) from error


def save_records(path: Path, records: ShopRecords) -> None:
    write_atomically(path, _SHAPE.dump_json(records))


def new_id(prefix: str) -> str:
    """A short id nobody guesses (40 bits): carts and orders are shown to whoever knows theirs."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(8))
