"""Coupons over the API: what a shop was told, taking one back, the month's money, the table over the last carts."""

from recovery.models import Coupon
from tests.admin.api import key_holder, make_user, sign_in
from tests.coupon_shop import CouponShop
from tests.recovery.coupons import with_coupons
from tests.shop import Shop
from tests.smtp_sink import SmtpSink


async def test_a_coupon_from_the_mail_to_its_end(shop: Shop, till: CouponShop, smtp_sink: SmtpSink) -> None:
    await with_coupons(shop, till)
    await shop.queue()
    await shop.deliver()
    coupon = await Coupon.get()
    await make_user()
    visitor = await sign_in(shop)
    (row,) = (await visitor.get(f"/coupons?q={coupon.code.lower()}"))["items"]
    assert row["code"] in smtp_sink.messages[0].text()
    assert (row["status"], row["percent"], row["quote_id"]) == ("issued", coupon.percent, "1")
    (month,) = (await visitor.get("/coupons/budget"))["items"]
    assert (month["month"], month["issued"]) == ("2026-11", row["amount"])
    async with key_holder(shop, ["coupons:read", "coupons:write"]) as viewer:
        assert coupon.code not in str(await viewer.get("/coupons"))
        assert (await viewer.get("/coupons?status=redeemed"))["items"] == []
    await visitor.send("POST", f"/coupons/{row['id']}/withdraw")
    assert (await visitor.get("/coupons"))["items"][0]["status"] == "withdrawing"
    await visitor.send("POST", f"/coupons/{row['id']}/withdraw", status=409)


async def test_the_table_over_the_last_carts(shop: Shop) -> None:
    totals = {"1": 5000, "2": 15000, "3": 25001}
    for quote_id, total in totals.items():
        await shop.cart(quote_id, total=total, customer={"email": f"c{quote_id}@example.com"})
    await shop.abandon()
    await shop.set(coupon_table=[{"score_below": 1.01, "value_from": 200, "percent": 10},
                                 {"score_below": 1.01, "value_from": 100, "percent": 4}])  # fmt: skip
    await make_user()
    table = await (await sign_in(shop)).get(f"/stores/{shop.store.id}/coupons/table")
    assert table["carts"] == 3
    told = [(cell["value_from"], cell["value_below"], cell["percent"], cell["carts"], cell["cost"])
            for cell in table["cells"]]  # fmt: skip
    # The maximum is 5 %; 5 % of 250.01 is 12.5005, in the worst case 12.51.
    assert told == [(0, 100, 0, 1, 0), (100, 200, 4, 1, 600), (200, None, 5, 1, 1251)]
