"""The demo shop takes coupons like any shop: signed calls only, once, for one order, until their end."""

import json
from datetime import UTC, datetime, timedelta

import httpx2

from tests.demo.conftest import Browser, DemoWorld
from tests.demo.hook_endpoint import SECRET
from tests.shop import signed_headers

CODE = "BACK-7KQM-2VHX-D4RTN"


async def call(browser: Browser, event: str, hours: float = 48, secret: str = SECRET) -> httpx2.Response:
    expires_at = datetime.now(UTC) + timedelta(hours=hours)
    data = {"code": CODE, "percent": 5, "expires_at": expires_at.isoformat()}
    body = json.dumps({"type": event, "occurred_at": expires_at.isoformat(), "store": "en", "data": data}).encode()
    headers = signed_headers(secret, body)
    return await browser.client.post("/shop/coupons", content=body, headers=headers)


async def test_a_coupon_is_taken_once_used_once_and_free_again(world: DemoWorld) -> None:
    site = await world.open()
    browser = world.browser(site)
    assert (await call(browser, "coupon.create", secret="whsec_" + "A" * 32)).status_code == 401
    await browser.fill()
    assert (await browser.post("cart/coupon", code=CODE)).status_code == 422
    assert [(await call(browser, "coupon.create")).status_code for _ in range(2)] == [201, 409]
    assert (await browser.post("cart/coupon", code=CODE.lower())).status_code == 200
    await browser.check_out()
    placed = (await browser.told()).last("order.placed")
    assert placed["coupon_codes"] == [CODE]
    assert placed["discount"] == round(23900 * 0.05)
    other = world.browser(site)
    await other.fill()
    assert (await other.post("cart/coupon", code=CODE)).status_code == 422
    site.shop.cancel_order(list(site.shop.records.orders.values())[-1])
    assert (await other.post("cart/coupon", code=CODE)).status_code == 200
    assert (await call(browser, "coupon.withdraw")).status_code == 204
    assert site.shop.priced(other.cart()).discount == 0


async def test_an_expired_coupon_does_not_work(world: DemoWorld) -> None:
    browser = world.browser(await world.open())
    assert (await call(browser, "coupon.create", hours=-1)).status_code == 201
    await browser.fill()
    assert (await browser.post("cart/coupon", code=CODE)).status_code == 422
