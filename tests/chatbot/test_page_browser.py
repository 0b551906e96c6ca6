"""The assistant's page in a real browser, on a phone and on a desk, in the light and in the dark."""

from dataclasses import replace
from typing import Literal

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from recovery.models import Cart, CartItem, Product
from recovery.runtime import Runtime
from recovery.stores.registry import change_settings
from tests.chatbot.conftest import BRISK, Node, StartNode
from tests.chatbot.rows import Shop, make_shop
from tests.chatbot.sources import Stalling, telling
from tests.chromium import DESKTOP, PHONE, axe_violations, open_tab, overflow, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def no_foreign_pictures() -> None:
    """The test's shop has no host, so its pictures would only be failed requests."""
    await CartItem.all().update(image_url=None)


async def ask(page: Page, text: str) -> None:
    """Type a question and press Enter."""
    await page.get_by_role("textbox").fill(text)
    await page.get_by_role("textbox").press("Enter")


@pytest.mark.parametrize(("viewport", "scheme"), [(PHONE, "light"), (DESKTOP, "dark")], ids=["phone", "desktop"])
async def test_a_talk(
    start_node: StartNode, shop: Shop, browser: Browser, viewport: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    await no_foreign_pictures()
    async with (
        start_node(own_origin=True) as node,
        open_tab(browser, viewport=viewport) as tab,
    ):
        page, name = tab.page, f"assistant-{viewport['width']}-{scheme}"
        await page.emulate_media(color_scheme=scheme)
        await page.goto(f"{node.base}/a/{shop.token}")
        assert page.url == f"{node.base}/a"
        await expect(page.get_by_text("€239.00").first).to_be_visible()
        await expect(page.get_by_role("link", name="Back to my cart")).to_have_attribute(
            "href", "https://shop.example/cart"
        )
        await expect(page.get_by_text("You are talking to the AI assistant of Hala & Co.")).to_be_visible()
        await screenshot(page, f"{name}-opened")
        assert await axe_violations(page) == []
        await page.get_by_role("button", name="How long does delivery take?").click()
        await expect(page.locator("#log").get_by_text("€4.90")).to_be_visible()
        await ask(page, "What goes with it?")
        await expect(page.get_by_role("listitem").filter(has_text="Goes with Hala rain jacket").first).to_be_visible()
        await expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_count(2)
        await page.get_by_role("button", name="Helpful", exact=True).last.click()
        await expect(page.get_by_role("button", name="Helpful", exact=True).last).to_have_attribute(
            "aria-pressed", "true"
        )
        await ask(page, "I want to talk to a human")
        await expect(page.locator(".turn").get_by_role("link", name="Contact the shop")).to_be_visible()
        await screenshot(page, f"{name}-answered")
        assert await axe_violations(page) == []
        assert await overflow(page) == 0
        assert tab.problems == []


async def test_reload_keeps_the_talk(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    async with start_node(own_origin=True) as node, open_tab(browser) as tab:
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "Can I pay by card?")
        await expect(page.locator("#log").get_by_text("We never see your card data.")).to_be_visible()
        await page.reload()
        await expect(page.locator("#log").get_by_text("We never see your card data.")).to_be_visible()
        assert page.url == f"{node.base}/a"


async def test_stop_keeps_the_words_and_try_again_asks_again(
    start_node: StartNode, shop: Shop, browser: Browser
) -> None:
    await no_foreign_pictures()
    async with (
        start_node(source=Stalling().source(), own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "Does it fit?")
        await expect(page.get_by_text("First words.", exact=False).first).to_be_visible()
        await screenshot(page, "assistant-390-streaming")
        await page.get_by_role("button", name="Stop", exact=True).click()
        await expect(page.get_by_text("Stopped", exact=True)).to_be_visible()
        await page.get_by_role("button", name="Try again").click()
        await expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_text("Stopped", exact=True)).to_have_count(2)


async def test_hostile_text_stays_text(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    hostile = "<img src=x onerror=alert(1)> [link](https://evil.example) **bold** <script>alert(2)</script>"
    async with (
        start_node(source=telling(hostile), own_origin=True) as node,
        open_tab(browser) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, hostile)
        await expect(page.get_by_text(hostile, exact=True)).to_have_count(3)
        await expect(page.locator("#log img, #log script, #log b")).to_have_count(0)
        assert tab.problems == []


@pytest.mark.parametrize("told", [True, False], ids=["server closes", "nobody closes"])
async def test_what_is_asked_offline_is_sent_later(
    start_node: StartNode, shop: Shop, browser: Browser, told: bool
) -> None:
    await no_foreign_pictures()
    told_answer = "Words and more words. " * 30 + "That is all."
    async with (
        start_node(source=telling(told_answer, pause=0.02, size=20), own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "Is it warm?")
        await expect(page.locator("#log").get_by_text("Words and more")).to_be_visible()
        # The network goes while the answer is still on its way.
        await page.context.set_offline(True)
        if told:
            await close_sockets(node)
        await expect(page.get_by_role("status")).to_be_visible()
        await ask(page, "How long does delivery take?")
        await screenshot(page, "assistant-390-offline")
        await page.context.set_offline(False)
        await expect(page.locator("#log").get_by_text("That is all.")).to_have_count(2, timeout=20_000)
        await expect(page.get_by_role("status")).to_be_hidden()


async def close_sockets(node: Node) -> None:
    """What a restart does to every socket."""
    for room in node.chat.rooms.all():
        for listener in list(room.listeners):
            listener.end(1012)


async def test_the_reader_is_not_pulled_down_while_reading(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    async with (
        start_node(source=telling("Words and more words. " * 120, pause=0.02, size=20), own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "Does it fit?")
        scroller = page.locator("#scroll")
        jump = page.get_by_role("button", name="Jump to latest")
        while await scroller.evaluate("s => s.scrollHeight - s.clientHeight") < 300:
            await page.wait_for_timeout(50)
        below = "s => s.scrollHeight - s.scrollTop - s.clientHeight"
        # A thumb moves slowly: a little is enough to be let go.
        await scroller.evaluate("s => { s.scrollTop -= 20 }")
        while await scroller.evaluate("s => s.scrollHeight - s.clientHeight") < 400:
            await page.wait_for_timeout(50)
        assert await scroller.evaluate(below) > 60
        await scroller.evaluate("s => { s.scrollTop = 0 }")
        await expect(jump).to_be_visible()
        assert await scroller.evaluate("s => s.scrollTop") == 0
        await jump.click()
        await expect(jump).to_be_hidden()
        assert await scroller.evaluate(below) < 60


async def test_polish(start_node: StartNode, runtime: Runtime, empty: None, browser: Browser) -> None:
    shop = await make_shop(runtime, "pl")
    await no_foreign_pictures()
    async with (
        start_node(own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await page.get_by_role("button", name="Jaki rozmiar wybrać?").click()
        await expect(page.locator("#log").get_by_text("Tabela rozmiarów")).to_be_visible()
        await expect(page.get_by_role("button", name="Pomocne", exact=True)).to_be_visible()
        await screenshot(page, "assistant-390-pl")
        assert await axe_violations(page) == []
        assert await overflow(page) == 0


async def test_without_scripts_the_cart_is_one_tap_away(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    async with (
        start_node(own_origin=True) as node,
        open_tab(browser, viewport=PHONE, scripts=False) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await expect(page.get_by_role("link", name="Back to my cart")).to_have_count(2)
        await expect(page.get_by_role("textbox")).to_be_hidden()
        await screenshot(page, "assistant-390-noscript")


async def test_a_refused_link_is_a_friendly_page(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    async with (
        start_node(own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token[:-2]}")
        await expect(page.get_by_role("heading")).to_have_text("This link does not open anything")
        await screenshot(page, "assistant-390-refused")
        assert await axe_violations(page) == []
        await page.goto(f"{node.base}/a")
        await expect(page.get_by_role("heading")).to_be_visible()


async def test_an_ended_conversation_says_so(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    async with (
        start_node(replace(BRISK, watch_seconds=0.1), own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "thanks")
        await expect(page.locator("#log").get_by_text("You are welcome.")).to_be_visible()
        await shop.link.filter(jti=shop.link.jti).update(revoked_at=shop.link.created_at)
        await expect(page.get_by_role("region", name="This conversation has ended.")).to_be_visible()
        await expect(page.get_by_role("textbox")).to_be_hidden()


async def test_the_page_says_when_the_cart_is_ordered(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    async with (
        start_node(replace(BRISK, watch_seconds=0.1), own_origin=True) as node,
        open_tab(browser, viewport=PHONE) as tab,
    ):
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "thanks")
        await expect(page.locator("#log").get_by_text("You are welcome.")).to_be_visible()
        await Cart.filter(id=shop.cart.id).update(status="ordered")
        told = page.locator("#log").get_by_text("This cart has become an order.")
        await expect(told).to_be_visible()
        await ask(page, "thanks")
        await expect(page.locator("#log").get_by_text("You are welcome.")).to_have_count(2)
        await screenshot(page, "assistant-390-ordered")
        await page.reload()
        await expect(page.get_by_text("This cart has already become an order.")).to_be_visible()
        await expect(told).to_have_count(0)


async def test_a_long_answer_is_read_from_its_question_on(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    long = telling("Word upon word upon word. " * 120, size=500)
    async with start_node(source=long, own_origin=True) as node, open_tab(browser, viewport=PHONE) as tab:
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await ask(page, "Tell me everything")
        voted = page.get_by_role("button", name="Helpful", exact=True)
        await expect(voted).to_be_attached()
        await expect(page.locator(".you")).to_be_in_viewport(ratio=1)
        await expect(voted).not_to_be_in_viewport()
        await page.get_by_role("button", name="Jump to latest").click()
        await expect(page.get_by_role("button", name="Which size fits me?")).to_be_in_viewport()
        await expect(page.get_by_role("button", name="Jump to latest")).to_be_hidden()
        assert tab.problems == []


async def test_crowded(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    """A long talk about things with long names, read with everything or only the text twice as large."""
    await no_foreign_pictures()
    await change_settings(shop.store, {"privacy_url": "https://shop.example/privacy"})
    name = "Przeciwdeszczowa kurtka trekkingowa Hala-Supermembrane-3000 Ultralight, moss green/anthracite, women's, M"
    await CartItem.all().update(name=name, row_total=123456789)
    await Cart.all().update(total=123456789)
    await Product.filter(product_id__in=("kit", "fleece", "wind")).update(name=name + "Extraordinarilylongsuffix" * 3)
    limits = replace(BRISK, questions_per_minute=100, frame_burst=1000)
    async with start_node(limits, own_origin=True) as node, open_tab(browser, viewport=PHONE) as tab:
        opened = await node.open(shop.token)
        async with node.client() as client:
            await client.hello(opened)
            for number in range(12):
                await client.until_done(await client.ask(("thanks", "What goes with it?", "x" * 200)[number % 3]))
        page, below = tab.page, "s => s.scrollHeight - s.scrollTop - s.clientHeight"
        await page.goto(f"{node.base}/a/{shop.token}")
        await expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_count(12)
        await screenshot(page, "assistant-390-crowded")
        await page.locator("summary").press("Enter")
        await expect(page.locator("#cart").get_by_text(name)).to_be_visible()
        assert await page.locator("#scroll").evaluate(below) < 2
        await screenshot(page, "assistant-390-crowded-cart")
        assert await axe_violations(page) == []
        assert await overflow(page) == 0
        await page.locator("summary").press("Enter")
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        await expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport(ratio=1)
        await screenshot(page, "assistant-390-crowded-large")
        assert await overflow(page) == 0
        await page.evaluate("document.documentElement.style.fontSize = ''")
        await page.set_viewport_size({"width": PHONE["width"] // 2, "height": PHONE["height"] // 2})
        await expect(page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport(ratio=1)
        await screenshot(page, "assistant-195-crowded")
        assert await overflow(page) == 0
        assert tab.problems == []


async def test_keys_alone(start_node: StartNode, shop: Shop, browser: Browser) -> None:
    await no_foreign_pictures()
    async with start_node(own_origin=True) as node, open_tab(browser) as tab:
        page = tab.page
        await page.goto(f"{node.base}/a/{shop.token}")
        await expect(page.get_by_role("textbox")).to_be_visible()

        async def tab_to(name: str, key: str = "Tab") -> None:
            for _ in range(20):
                await page.keyboard.press(key)
                if await page.evaluate("(a => a.ariaLabel || a.textContent.trim())(document.activeElement)") == name:
                    return
            pytest.fail(f"no {key} leads to {name}")

        await tab_to("Back to my cart")
        await tab_to("What goes with it?")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("button", name="Helpful", exact=True)).to_be_visible()
        await page.keyboard.type("thanks")
        await page.keyboard.press("Enter")
        await expect(page.locator("#log").get_by_text("You are welcome.")).to_be_visible()
        # Its buttons come when it is whole; before that the nearest ones are those of the answer above.
        await expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_count(2)
        await tab_to("Not helpful", "Shift+Tab")
        await page.keyboard.press("Space")
        await expect(page.get_by_role("button", name="Not helpful").last).to_have_attribute("aria-pressed", "true")
