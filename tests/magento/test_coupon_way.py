"""The whole way of carts with a coupon made in Magento: mailed, used, expired, withdrawn, and a shop that is away."""

from typing import Any

from admin import doctor_coupons
from recovery.models import Cart, Coupon, CouponBudget, CouponDecision, Store
from recovery.stores import registry
from tests.magento.desk import Desk
from tests.magento.fake import NEEDED
from tests.magento.fake_coupons import FOR_COUPONS
from tests.magento.test_whole_way import body


async def switch_on(desk: Desk, **settings: Any) -> None:
    """Coupons in Magento, for every score."""
    desk.magento.switches.granted = NEEDED | FOR_COUPONS
    bands = [{"percent": 5, "value_from": 100}]
    for store in await Store.all():
        told = {"dynamic_coupons": True, "coupon_in_magento": True, "coupon_table": bands} | settings
        await registry.change_settings(store, told)


async def coupon_of(desk: Desk, quote_id: int) -> Coupon:
    return await Coupon.get(cart__quote_id=str(quote_id))


async def test_a_cart_with_a_coupon_from_mail_to_order_and_another_that_is_withdrawn(desk: Desk) -> None:
    await switch_on(desk)
    bought = desk.guest(2, "WJ-01-M-NAVY", email="ola@example.com")
    left = desk.guest(2, "BP-30", email="jan@example.com")
    await desk.pass_time(45, 15)
    mine, other = await coupon_of(desk, bought.id), await coupon_of(desk, left.id)
    assert (mine.source, mine.status, mine.percent) == ("magento", "issued", 5)
    assert mine.code in body(desk, "ola@example.com")
    marketing = desk.magento.state.marketing
    assert sorted(str(row["code"]) for row in marketing.coupons.values()) == sorted([mine.code, other.code])
    assert [rule["name"] for rule in marketing.rules.values()] == ["Cartback 5% [website 1]"]
    assert (bought.coupon, left.coupon) == (None, None)

    # The shopper types it as people do, and orders; Magento's own counter sleeps.
    marketing.consumer_sleeps = True
    desk.magento.state.type_code(bought, mine.code.lower())
    desk.magento.place(bought)
    await desk.pass_time(10)
    mine = await coupon_of(desk, bought.id)
    assert mine.status == "redeemed"
    assert mine.redeemed_order_id is not None
    assert await desk.episodes(bought) == ["recovered"]

    # The other one is over, waits a day for late payers, and goes.
    desk.clock.advance(hours=48 + 23)
    await desk.sweep()
    assert marketing.coupon(other.code)
    desk.clock.advance(hours=2)
    await desk.sweep()
    assert marketing.coupon(other.code) is None
    assert marketing.coupon(mine.code) is not None
    assert (await coupon_of(desk, left.id)).status == "released"
    (budget,) = await CouponBudget.all()
    assert (budget.issued, budget.redeemed > 0, budget.released > 0) == (0, True, True)


async def test_a_code_in_a_cart_stays_until_it_leaves_it_or_a_week_is_over(desk: Desk) -> None:
    await switch_on(desk)
    cart = desk.guest(2, "WJ-01-M-NAVY", email="ola@example.com")
    await desk.pass_time(45, 15)
    coupon = await coupon_of(desk, cart.id)
    desk.magento.state.type_code(cart, coupon.code)
    desk.clock.advance(hours=48 + 25)
    await desk.sweep()
    assert (await coupon_of(desk, cart.id)).status == "withdrawing"
    assert desk.magento.state.marketing.coupon(coupon.code)
    desk.clock.advance(days=6)
    await desk.sweep()
    assert desk.magento.state.marketing.coupon(coupon.code) is None


async def test_a_code_put_into_the_cart_does_not_count_as_the_shoppers_doing(desk: Desk) -> None:
    await switch_on(desk, coupon_attach=True)
    cart = desk.guest(2, "WJ-01-M-NAVY", email="ola@example.com")
    own = desk.guest(2, "BP-30", email="jan@example.com")
    desk.magento.state.marketing.save_rule({"website_ids": [1], "is_active": True, "coupon_type": "SPECIFIC_COUPON",
        "use_auto_generation": True, "uses_per_coupon": 0, "uses_per_customer": 0, "discount_amount": 1,
        "customer_group_ids": [0], "name": "Spring"})  # fmt: skip
    desk.magento.state.marketing.save_coupon({"rule_id": 1, "code": "SPRING", "type": 1})
    desk.magento.state.type_code(own, "spring")
    await desk.pass_time(45, 15)
    coupon = await coupon_of(desk, cart.id)
    assert (cart.coupon, own.coupon) == (coupon.code, "spring")
    assert cart.store_id == 2
    await desk.pass_time(90, 45)
    assert (await desk.cart(cart)).coupon_codes == [coupon.code]
    assert await desk.episodes(cart) == ["contacted"]
    assert len(desk.sink.to("ola@example.com")) == 1
    assert not await Coupon.filter(cart__quote_id=str(own.id)).exists()
    verdict = await CouponDecision.get(abandonment__cart__quote_id=str(own.id))
    assert verdict.reason == "own_code"


async def test_without_the_rights_the_mail_waits_and_then_goes_without(desk: Desk) -> None:
    await switch_on(desk, coupon_wait_minutes=30)
    desk.magento.switches.granted = NEEDED
    cart = desk.guest(2, "WJ-01-M-NAVY", email="ola@example.com")
    await desk.pass_time(45, 15)
    assert desk.sink.to("ola@example.com") == []
    await desk.pass_time(60, 20)
    assert "BACK-" not in body(desk, "ola@example.com")
    verdict = await CouponDecision.get(abandonment__cart__quote_id=str(cart.id))
    assert verdict.reason == "shop_away"
    assert "Magento_Customer::group" in verdict.values["error"]
    findings = await doctor_coupons.coupon_findings(
        await registry.in_force(await Store.get(code="pl")), "mag/pl", desk.clock.now()
    )
    assert "access refused" in findings[0].words


async def test_an_answer_that_gets_lost_leaves_one_code(desk: Desk) -> None:
    await switch_on(desk)
    cart = desk.guest(2, "WJ-01-M-NAVY", email="ola@example.com")
    await desk.pass_time(20)
    desk.magento.switches.lost_answers = 2
    await desk.pass_time(40)
    coupon = await coupon_of(desk, cart.id)
    assert coupon.status == "issued"
    assert coupon.code in body(desk, "ola@example.com")
    assert len(desk.magento.state.marketing.coupons) == len(desk.magento.state.marketing.rules) == 1


async def test_the_doctor_names_a_rule_that_somebody_edited(desk: Desk) -> None:
    await switch_on(desk)
    desk.guest(2, "WJ-01-M-NAVY", email="ola@example.com")
    await desk.pass_time(45, 15)
    desk.magento.state.marketing.rules[1]["discount_amount"] = 50
    desk.guest(2, "WJ-01-M-NAVY", email="jan@example.com")
    await desk.pass_time(45, 15)
    assert [row["rule_id"] for row in desk.magento.state.marketing.coupons.values()] == [1, 2]
    store = await registry.in_force(await Store.get(code="pl"))
    made, wrong = await doctor_coupons.coupon_findings(store, "mag/pl", desk.clock.now())
    assert (made.state, wrong.state) == ("good", "note")
    assert "'Cartback 5% [website 1]' is not used for new codes: it does not give 5 percent" in wrong.words
    assert await Cart.all().count() == 2
