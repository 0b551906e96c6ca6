"""The coupon of a mail about to be written: decided and held in a transaction, then made known to the shop."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from recovery import coupons
from recovery import coupons_shop as shop
from recovery.coupons_rule import Verdict
from recovery.crash import crash_point
from recovery.models import Abandonment, Connection, Coupon
from recovery.runtime import Runtime
from recovery.stores.base import Connector
from recovery.stores.registry import StoreInForce

WAITS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=30))

log = structlog.get_logger()


class CouponWaits(Exception):
    """The shop has not taken the coupon yet, so the mail waits until ``until``."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


@dataclass
class Window:
    """The shop during one sweep: once it is away nobody else asks it. ``connector`` reads it, where one does."""

    connector: Connector | None = None
    trouble: str | None = None


async def issue(runtime: Runtime, store: StoreInForce, window: Window, coupon: Coupon) -> coupons.CouponState | None:
    """Have the shop take a coupon that was settled; None when it never will and the mail goes without.

    Raises:
        CouponWaits: not now.
    """
    if coupon.status == "issued":
        return coupons.state(coupon)
    now = runtime.now()
    try:
        if coupon.source in shop.MADE_HERE:
            await _ask(runtime, store, window, coupon)
    except shop.ShopRefuses as refusal:
        await _go_without(store, coupon, "shop_refused", str(refusal), now)
        return None
    except shop.ShopAway as away:
        window.trouble = str(away)
        log.warning("coupon.shop_away", coupon=str(coupon.id), answer=str(away))
        waited = now - coupon.created_at
        enough = waited >= timedelta(minutes=store.settings.coupon_wait_minutes)
        if now >= coupon.expires_at or (enough and store.settings.coupon_failure == "send_without"):
            await _go_without(store, coupon, "shop_away", str(away), now)
            return None
        until = now + WAITS[min(coupon.asks, len(WAITS) - 1)]
        await coupons.note_failure(coupon, str(away), until)
        raise CouponWaits(until) from away
    crash_point(runtime.settings, "coupon.asked")
    if not await coupons.mark_issued(coupon, now):
        raise CouponWaits(now + WAITS[0])  # taken back meanwhile; the next attempt decides anew
    crash_point(runtime.settings, "coupon.issued")
    return coupons.state(coupon)


async def _ask(runtime: Runtime, store: StoreInForce, window: Window, coupon: Coupon) -> None:
    if window.trouble is not None:
        raise shop.ShopAway(window.trouble)
    connection = await Connection.get(id=coupon.connection_id)
    if coupon.source == "magento" and store.settings.coupon_attach and not coupon.attached:
        # Noted first: a cart that comes back with our own code in it was not touched by its shopper.
        await coupons.note_attached(coupon)
    await shop.create(runtime, store, connection, coupon, window.connector)


async def _go_without(store: StoreInForce, coupon: Coupon, reason: str, error: str, now: datetime) -> None:
    """Give the coupon up and say why; the shop may have taken it without a word, so it is withdrawn."""
    await coupons.note_failure(coupon, error, now)
    await coupons.close(coupon, reason, now, known_to_shop=reason == "shop_away" or coupon.asks > 1)
    values = {"error": error, "minutes": store.settings.coupon_wait_minutes}
    abandonment = await Abandonment.get(id=coupon.abandonment_id)
    await coupons.keep(store, abandonment, coupon.step, Verdict(0, reason, values), now)
