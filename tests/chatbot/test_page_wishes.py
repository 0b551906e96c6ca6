"""What the page offers beside questions, in a browser: another variant, a person, a fresh link, the shop's look."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest
from playwright.async_api import Browser, Page, expect

from chatbot.assistant import Cards, Piece, Source
from chatbot.models import Conversation
from chatbot.turns import Claim
from recovery.models import Notice, Product
from recovery.runtime import Runtime
from recovery.stores.registry import change_settings
from tests.chatbot.conftest import BRISK, StartNode
from tests.chatbot.rows import EMAIL, Shop, make_shop
from tests.chatbot.sources import telling
from tests.chatbot.test_page_browser import ask, no_foreign_pictures
from tests.chromium import DESKTOP, PHONE, axe_violations, open_tab, overflow, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

SMALLER: dict[str, object] = {
    "id": "hala-moss-s",
    "name": "Hala rain jacket, Moss green, S",
    "price": "€239.00",
    "image": None,
    "url": "https://shop.example/product/hala",
    "why": "One size smaller",
    "in_stock": True,
    "instead_of": "hala-moss-m",
}


def offering(*cards: dict[str, object]) -> Source:
    """A source that shows products."""

    async def say(_: Claim) -> AsyncGenerator[Piece, None]:
        yield Cards(list(cards))
        yield "This one is a size smaller."

    return Source("offering", say)


async def as_good_as_it_looks(page: Page, name: str) -> None:
    """A picture for the eye, and what can be checked without one."""
    await screenshot(page, name)
    assert await axe_violations(page) == []
    assert await overflow(page) == 0


async def test_a_variant_is_taken_and_given_back_in_every_tab(
    start_node: StartNode, shop: Shop, browser: Browser
) -> None:
    await no_foreign_pictures()
    await Product.all().update(image_url=None)
    source = offering(SMALLER, SMALLER | {"id": "kit", "name": "Care kit", "instead_of": None})
    async with (
        start_node(source=source, own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
        open_tab(browser, viewport=DESKTOP) as second,
    ):
        page, other = tab.page, second.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await other.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "Is there a smaller one?")
        await page.get_by_role("button", name="Take this instead: Hala rain jacket, Moss green, S").click()
        changed = page.locator("#log").get_by_text("Changed in your cart: Hala rain jacket, Moss green, S.")
        await expect(changed).to_be_visible()
        await expect(page.locator(".taken")).to_have_text("In your cart")
        await as_good_as_it_looks(page, "assistant-390-taken")
        await expect(other.locator("#lines")).to_contain_text("Moss green, S")
        await expect(other.locator("#lines").get_by_role("button", name="Undo")).to_be_visible()
        await as_good_as_it_looks(other, "assistant-1280-taken")
        await page.reload()
        await expect(changed).to_be_visible()
        await page.locator("summary").click()
        await as_good_as_it_looks(page, "assistant-390-taken-cart")
        await page.locator("#lines").get_by_role("button", name="Undo").click()
        await expect(page.locator("#log").get_by_text("Your cart is as it was before.")).to_be_visible()
        await expect(other.locator("#lines")).to_contain_text("Moss green, M")
        await expect(page.get_by_role("button", name="Take this instead: Hala rain jacket")).to_be_visible()
        assert tab.problems == second.problems == []


async def test_a_variant_that_is_gone_is_told_plainly(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    gone = SMALLER | {"id": "hala-moss-l", "name": "Hala rain jacket, Moss green, L"}
    async with start_node(source=offering(gone), own_origin=True) as node, open_tab(browser, viewport=PHONE) as tab:
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "A larger one?")
        take = page.get_by_role("button", name="Take this instead")
        await take.click()
        await expect(page.get_by_role("status").first).to_have_text(
            "This could not be changed in your cart. It may be sold out by now."
        )
        await expect(take).to_be_enabled()


async def test_a_person_is_asked_by_one_tap_or_answers_elsewhere(
    start_node: StartNode, shop: Shop, browser: Browser
) -> None:
    await no_foreign_pictures()
    await change_settings(shop.store, {"sender_address": "shop@shop.example"})
    async with start_node(own_origin=True) as node, open_tab(browser, viewport=PHONE) as tab:
        page, dialog = tab.page, tab.page.get_by_role("dialog")
        await page.goto(f"{node.base}/a/{shop.token}")
        assert EMAIL not in await page.content()
        await page.get_by_role("button", name="A person, please").click()
        await expect(dialog).to_be_visible()
        await as_good_as_it_looks(page, "assistant-390-person")
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await page.get_by_role("button", name="A person, please").click()
        await dialog.get_by_role("button", name="Use another address").click()
        await dialog.get_by_role("textbox").fill("nobody@nowhere")
        await dialog.get_by_role("textbox").press("Enter")
        await expect(dialog).to_contain_text("This does not look like an e-mail address.")
        await as_good_as_it_looks(page, "assistant-390-person-address")
        await dialog.get_by_role("button", name="Answer me at j***@example.com").click()
        await expect(page.locator("#log").get_by_text("A person will answer to j***@example.com.")).to_be_visible()
        await expect(dialog).to_be_hidden()
        await as_good_as_it_looks(page, "assistant-390-person-sent")
        assert [notice.reply_to for notice in await Notice.all()] == [EMAIL]
        assert tab.problems == []


async def test_the_cart_is_shared_by_a_link_of_its_own(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    async with start_node(own_origin=True) as node, open_tab(browser) as tab:
        page = tab.page
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.goto(f"{node.base}/a/{shop.token}")
        await page.get_by_role("button", name="Share this cart").click()
        await expect(page.get_by_role("button", name="Copied")).to_be_visible()
        await as_good_as_it_looks(page, "assistant-1280-shared")
        link = await page.evaluate("navigator.clipboard.readText()")
        assert link.startswith(f"{node.base}/s/")
        await page.goto(link)
        await expect(page.get_by_text("Hala rain jacket, Moss green, M")).to_be_visible()
        await as_good_as_it_looks(page, "shared-cart-1280")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_an_expired_link_leads_back_or_to_a_fresh_one(
    start_node: StartNode, runtime: Runtime, empty: None, browser: Browser, scheme: str
) -> None:
    shop = await make_shop(runtime, minutes=-1)
    async with start_node(own_origin=True) as node, open_tab(browser, viewport=PHONE) as tab:
        page = tab.page
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.goto(f"{node.base}/a/{shop.token}")
        assert page.url == f"{node.base}/a"
        await expect(page.get_by_role("link", name="Back to my cart")).to_be_visible()
        await expect(page.get_by_role("button", name="Send me a fresh link")).to_be_visible()
        await as_good_as_it_looks(page, f"assistant-390-{scheme}-expired")
        await change_settings(shop.store, {"sender_address": "shop@shop.example"})
        await page.get_by_role("button", name="Send me a fresh link").click()
        await expect(page.get_by_role("status")).to_have_text("Done. A fresh link is on its way to j***@example.com.")
        assert [notice.to_address for notice in await Notice.all()] == [EMAIL]
        await as_good_as_it_looks(page, f"assistant-390-{scheme}-fresh-link")


async def test_a_talk_whose_time_ends_offers_a_fresh_link(
    start_node: StartNode, runtime: Runtime, shop: Shop, browser: Browser
) -> None:
    await no_foreign_pictures()
    async with (
        start_node(replace(BRISK, watch_seconds=0.1), own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "thanks")
        await expect(page.get_by_role("button", name="Helpful", exact=True)).to_be_visible()
        await shop.link.filter(jti=shop.link.jti).update(expires_at=runtime.now())
        await Conversation.all().update(expires_at=runtime.now())
        await expect(page.get_by_role("button", name="Send me a fresh link")).to_be_visible()
        await expect(page.get_by_role("textbox")).to_be_hidden()
        await expect(page.get_by_role("link", name="Back to my cart").last).to_be_in_viewport()
        await as_good_as_it_looks(page, "assistant-390-ended")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_any_colour_of_a_shop_can_be_read(
    start_node: StartNode, shop: Shop, browser: Browser, scheme: str
) -> None:
    await no_foreign_pictures()
    await change_settings(shop.store, {"brand_color": "#ffe600", "privacy_url": "https://shop.example/privacy"})
    async with (
        start_node(source=telling("Yes."), own_origin=True) as node,
        open_tab(browser, viewport=DESKTOP) as tab,
    ):
        page = tab.page
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "Does it fit?")
        await expect(page.get_by_role("button", name="Helpful", exact=True)).to_be_visible()
        back = page.get_by_role("link", name="Back to my cart")
        await expect(back).to_have_css("background-color", "rgb(255, 230, 0)")
        await as_good_as_it_looks(page, f"assistant-1280-{scheme}-brand")
        await page.evaluate("document.documentElement.dir = 'rtl'")
        await as_good_as_it_looks(page, f"assistant-1280-{scheme}-rtl")
        await page.emulate_media(forced_colors="active", reduced_motion="reduce")
        # axe takes a link's own colour for the one that is forced on it; the picture shows what is there.
        await screenshot(page, f"assistant-1280-{scheme}-forced")
        assert tab.problems == []
