"""Takes coupons back: those that are over and unused, and those whose mail never went."""

from datetime import datetime, timedelta

import structlog

from recovery import coupons, db
from recovery import coupons_shop as shop
from recovery.models import Connection, Coupon, Store
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce

TRY_AGAIN = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6))
#: A code that ended so long ago is as good as withdrawn, whether the shop answers or not.
OVER_FOR = timedelta(days=7)
#: A code in a cart that may be paid this minute is looked at again after so long.
HELD = timedelta(hours=1)
#: A mail that lost its reason may still be in a sender's hands for so long.
QUIET = timedelta(minutes=10)

log = structlog.get_logger()

_OVER = """
SELECT c.id FROM coupon c
 WHERE c.store_id = $1 AND c.status IN ('reserved', 'issued')
   AND (c.expires_at <= $2
        OR c.created_at <= $3 AND NOT EXISTS (
             SELECT 1 FROM email e WHERE e.abandonment_id = c.abandonment_id
                AND e.status NOT IN ('cancelled', 'suppressed', 'failed')))
 ORDER BY c.created_at LIMIT $4
"""


async def sweep(runtime: Runtime, store: StoreInForce) -> dict[str, int]:
    """Withdraw what is over, at most a batch; how many coupons were withdrawn."""
    now, batch = runtime.now(), store.settings.batch_size
    grace = timedelta(hours=store.settings.coupon_grace_hours)
    for row in await db.client().execute_query_dict(_OVER, [store.row.id, now - grace, now - QUIET, batch]):
        coupon = await Coupon.get(id=row["id"])
        reason = "expired" if coupon.expires_at <= now else "not_sent"
        # Whatever we noted: a crash may have come between the shop's yes and our note of it.
        await coupons.close(coupon, reason, now, known_to_shop=coupon.source in shop.MADE_HERE)
    return {"withdrawn": await _withdraw_due(runtime, store, now, batch)}


async def withdraw_one(coupon: Coupon, now: datetime) -> bool:
    """Take one coupon back by hand; the next sweep tells the shop. Whether it was open."""
    return await coupons.close(coupon, "by_hand", now, known_to_shop=coupon.source in shop.MADE_HERE)


async def _withdraw_due(runtime: Runtime, store: StoreInForce, now: datetime, batch: int) -> int:
    due = await Coupon.filter(store_id=store.row.id, status="withdrawing", next_try_at__lte=now).limit(batch)
    if not due:
        return 0
    connection = await _connection(store.row)
    done = 0
    for coupon in due:
        # Carts may lie for ever, and Magento takes a code after its end: some days later it goes all the same.
        at_once = coupon.closed_reason == "by_hand" or coupon.expires_at + OVER_FOR <= now
        try:
            await shop.withdraw(runtime, store, connection, coupon, at_once=at_once)
        except shop.ShopBusy as busy:
            await coupons.note_failure(coupon, str(busy), now + HELD)
            continue
        except shop.ShopRefuses as refusal:
            log.warning("coupon.not_withdrawn", coupon=str(coupon.id), answer=str(refusal))
        except shop.ShopAway as away:
            if coupon.expires_at + OVER_FOR > now:
                pause = TRY_AGAIN[min(coupon.asks, len(TRY_AGAIN) - 1)]
                await coupons.note_failure(coupon, str(away), now + pause)
                break  # a shop that is away is asked once a sweep
        await coupons.release(coupon, now)
        done += 1
    return done


async def _connection(store: Store) -> Connection:
    return await Connection.get(id=store.connection_id)
