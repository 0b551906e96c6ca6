"""A live store whose coupons go to a shop of the test's own, in two messages of which the second may carry one."""

from typing import Any

from recovery import jobs
from recovery.models import Connection, Coupon
from tests.coupon_shop import CouponShop
from tests.shop import READY, Shop

SECOND = [{"delay_minutes": 0, "coupon": True}]


async def with_coupons(live: Shop, till: CouponShop, **settings: Any) -> None:
    """Let ``live`` send its coupons to ``till``, with every message."""
    till.secret = live.secret
    connection = await Connection.get(id=live.connection.id)
    connection.hosts = [*connection.hosts, "127.0.0.1"]
    await connection.save(update_fields=["hosts"])
    own = {"steps": SECOND, "coupon_callback_url": till.url, "coupon_expiry_hours": 48}
    await live.set(**(READY | own | settings))


async def send(live: Shop) -> dict[str, int]:
    """One run of sending; what it counted."""
    report = await jobs.email(live.runtime)
    assert not report.errors, report.errors
    return report.counts


async def coupon() -> Coupon:
    """The only coupon there is."""
    (found,) = await Coupon.all()
    return found
