"""What the doctor says of a shop that takes no coupons, of codes and of the budget."""

from admin.doctor_coupons import coupon_findings
from recovery import coupons_shop
from tests.coupon_shop import CouponShop, Fault
from tests.recovery.coupons import send, with_coupons
from tests.shop import Shop


async def said(live: Shop) -> list[tuple[str, str]]:
    found = await coupon_findings(await live.in_force(), "demo/en", live.now)
    return [(finding.state, finding.words) for finding in found]


async def test_the_doctor_names_a_failing_connector(live: Shop, till: CouponShop) -> None:
    await with_coupons(live, till, coupon_monthly_budget=25)
    await live.queue()
    till.always = Fault(status=500)
    await send(live)
    ((state, words), _) = await said(live)
    assert (state, words) == ("wrong", "1 coupon of 7 days failed at the shop; its last answer: 500 X")
    till.always = None
    live.clock.advance(minutes=2)
    await send(live)
    assert await said(live) == [("good", "the shop took 1 coupon in 7 days"), ("note", "€23.00 of €25.00 are held")]


async def test_the_doctor_names_what_is_missing(live: Shop, till: CouponShop) -> None:
    ((state, words),) = await said(live)
    assert state == "note"
    assert "neither" in words
    await coupons_shop.load(live.store, ["AAA-1"], 5, None, live.now)
    assert await said(live) == [("good", "1 loaded code left")]
    await live.set(coupon_callback_url=till.url)
    ((state, words),) = await said(live)
    assert state == "wrong"
    assert "allow-host" in words
    await live.set(dynamic_coupons=False)
    assert await said(live) == []
