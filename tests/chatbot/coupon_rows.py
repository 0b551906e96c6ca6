"""The row of a coupon that a shop knows, for the cart of a store of rows.py."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from recovery.models import Abandonment, Coupon
from recovery.runtime import Runtime
from tests.chatbot.rows import Shop

CODE = "BACK-7KQM-2VHX-D4RTN"


async def give_coupon(runtime: Runtime, shop: Shop, *, code: str = CODE, hours: float = 48, **more: Any) -> Coupon:
    """A coupon of 5 % for the person to whom the shop's link was sent."""
    now, cart = runtime.now(), shop.cart
    abandonment = await Abandonment.create(
        connection_id=cart.connection_id, store_id=cart.store_id, cart=cart, status="contacted", detected_at=now,
        fingerprint=cart.fingerprint, email_hash=shop.link.email_hash, total=cart.total, currency=cart.currency,
        currency_digits=cart.currency_digits,
    )  # fmt: skip
    row: dict[str, Any] = {
        "connection_id": cart.connection_id, "store_id": cart.store_id, "abandonment": abandonment, "cart": cart,
        "step": 1, "email_hash": shop.link.email_hash, "code": code, "percent": 5, "source": "callback",
        "status": "issued", "amount": 100, "currency": "EUR", "budget_key": "x", "created_at": now,
        "expires_at": (now + timedelta(hours=hours)).replace(microsecond=0), "issued_at": now,
    }  # fmt: skip
    return await Coupon.create(id=uuid4(), **(row | more))
