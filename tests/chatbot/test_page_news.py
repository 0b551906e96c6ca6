"""The page when the shop changes the cart or its coupon: drawn anew at once, while nobody is disturbed in writing."""

from dataclasses import replace
from typing import Literal

import pytest
from playwright.async_api import Browser, ViewportSize, expect

from recovery.models import CartItem, Coupon
from recovery.runtime import Runtime
from tests.chatbot.conftest import StartNode
from tests.chatbot.coupon_rows import CODE, give_coupon
from tests.chatbot.rows import Shop
from tests.chatbot.test_news import FLEECE, OFTEN, shop_sends
from tests.chromium import DESKTOP, PHONE, axe_violations, open_tab, overflow, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PLAIN = replace(FLEECE, url=None)


async def test_a_changed_cart_is_drawn_while_the_customer_writes(
    start_node: StartNode, runtime: Runtime, shop: Shop, browser: Browser
) -> None:
    await CartItem.all().update(image_url=None)
    async with start_node(OFTEN, own_origin=True) as node, open_tab(browser, viewport=PHONE) as tab:
        page, field = tab.page, tab.page.get_by_role("textbox")
        await page.goto(f"{node.base}/a/{shop.token}")
        await field.fill("Is it warm enough")
        await shop_sends(runtime, shop, PLAIN)
        await expect(page.get_by_text("Your cart has changed in the shop.", exact=False).first).to_be_visible()
        await expect(page.locator("#cart [data-total]").first).to_have_text("€178.00")
        await expect(field).to_be_focused()
        await expect(field).to_have_value("Is it warm enough")
        await screenshot(page, "assistant-390-cart-changed")
        assert await axe_violations(page) == []
        await page.reload()
        await expect(page.locator("#cart [data-total]").first).to_have_text("€178.00")
        await page.locator("summary").click()
        await expect(page.locator("#lines").get_by_text("Borowik fleece")).to_be_visible()
        assert tab.problems == []


@pytest.mark.parametrize(
    ("viewport", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone-light", "desktop-dark"]
)
async def test_a_coupon_is_shown_copied_and_taken_away(
    start_node: StartNode,
    runtime: Runtime,
    shop: Shop,
    browser: Browser,
    viewport: ViewportSize,
    scheme: Literal["light", "dark"],
) -> None:
    await CartItem.all().update(image_url=None)
    coupon = await give_coupon(runtime, shop)
    async with start_node(OFTEN, own_origin=True) as node, open_tab(browser, viewport=viewport) as tab:
        page, chip = tab.page, tab.page.locator("#coupon")
        await page.emulate_media(color_scheme=scheme)
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(f"{node.base}/a/{shop.token}")
        await expect(chip.get_by_text(CODE)).to_be_visible()
        await expect(chip).to_contain_text("5% off this cart")
        await chip.get_by_role("button").click()
        await expect(chip.get_by_role("button")).to_have_text("Copied")
        assert await page.evaluate("navigator.clipboard.readText()") == CODE
        await screenshot(page, f"assistant-{viewport['width']}-{scheme}-coupon")
        assert await axe_violations(page) == []
        assert await overflow(page) == 0
        await Coupon.filter(id=coupon.id).update(status="redeemed")
        await expect(chip).to_be_hidden()
        await page.reload()
        await expect(page.get_by_role("textbox")).to_be_visible()
        await expect(chip).to_be_hidden()
        await Coupon.filter(id=coupon.id).update(status="issued")
        await expect(chip.get_by_text(CODE)).to_be_visible()
        assert tab.problems == []
