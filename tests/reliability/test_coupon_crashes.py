"""A worker killed at each edge of a coupon: one code for one abandonment, known to the shop, its money held once."""

import asyncio

import pytest

from recovery import jobs
from recovery.models import Coupon, CouponBudget
from tests.coupon_shop import CouponShop
from tests.recovery.coupons import with_coupons
from tests.reliability.workers import crash_at, end_leases
from tests.shop import Shop
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    "point", ["coupon.reserved", "coupon.asked", "coupon.issued", "mail.composed", "mail.before_sending"]
)
async def test_the_next_worker_goes_on_with_the_same_coupon(
    live: Shop, till: CouponShop, smtp_sink: SmtpSink, point: str
) -> None:
    await with_coupons(live, till, coupon_monthly_budget=25)
    await live.queue()
    await crash_at(live, smtp_sink, point)
    assert smtp_sink.messages == []
    await end_leases()
    live.clock.advance(minutes=11)
    await jobs.email(live.runtime)
    (made,) = await Coupon.all()
    assert list(till.coupons) == [made.code]
    assert made.code in smtp_sink.messages[0].text()
    (row,) = await CouponBudget.all()
    assert (row.reserved, row.issued) == (0, made.amount)


@pytest.mark.parametrize("point", ["coupon.reserved", "coupon.asked", "coupon.issued"])
async def test_an_order_after_the_crash_gives_the_money_back(
    live: Shop, till: CouponShop, smtp_sink: SmtpSink, point: str
) -> None:
    await with_coupons(live, till)
    await live.queue()
    await crash_at(live, smtp_sink, point)
    await live.order()
    await end_leases()
    live.clock.advance(minutes=11)
    await jobs.email(live.runtime)
    assert smtp_sink.messages == []
    (row,) = await CouponBudget.all()
    assert (row.reserved, row.issued, row.released) == (0, 0, 2300)
    assert set(till.withdrawn) == set(till.coupons) | {(await Coupon.get()).code}


async def test_two_workers_make_one_coupon(live: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await with_coupons(live, till, coupon_person_days=90)
    await live.cart("1")
    await live.cart("2")
    await live.abandon()
    await asyncio.gather(*(jobs.email(live.runtime) for _ in range(3)))
    assert len(smtp_sink.messages) == 2
    assert len(till.coupons) == 1
