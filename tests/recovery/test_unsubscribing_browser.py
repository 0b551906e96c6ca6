"""The page that stops mails in a real browser without scripts: clicked through as a customer would, on a phone."""

import pytest

from chatbot.chat import open_chat
from chatbot.server import listen
from recovery.models import Suppression
from tests.chatbot.conftest import BRISK, serving
from tests.chromium import PHONE, Tab, axe_violations, launch_browser, open_tab, overflow, screenshot
from tests.recovery.test_unsubscribing import link, second_store
from tests.shop import Shop

pytestmark = pytest.mark.browser


async def check(tab: Tab, name: str, title: str) -> None:
    """The page says this, and is as every page must be."""
    assert await tab.page.locator("h1").inner_text() == title
    await screenshot(tab.page, name)
    assert await overflow(tab.page) == 0
    assert tab.problems == []


async def test_stopping_all_shops_and_coming_back(live: Shop) -> None:
    polish = await second_store(live)
    with listen("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        async with (
            open_chat(live.runtime, BRISK) as chat,
            serving(live.runtime, chat, port, door),
            launch_browser() as browser,
            open_tab(browser, viewport=PHONE, scripts=False) as tab,
            open_tab(browser, viewport=PHONE) as checked,
        ):
            here, there = (
                link(live, store).replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}")
                for store in (live.store.id, polish.id)
            )
            await tab.page.goto(here)
            await check(tab, "unsubscribe-ask", "Stop mails about carts")
            await checked.page.goto(here)
            assert await axe_violations(checked.page) == []
            await tab.page.get_by_label("Nor any other shop of Demo").check()
            await tab.page.get_by_role("button").click()
            await check(tab, "unsubscribe-stopped", "Done")
            assert await Suppression.filter(store_id=None, lifted_at=None).count() == 1
            await tab.page.goto(there)
            await check(tab, "unsubscribe-done-pl", "Wiadomości o koszykach są wyłączone")
            await checked.page.goto(there)
            assert await axe_violations(checked.page) == []
            await tab.page.get_by_role("link").first.click()
            await check(tab, "unsubscribe-again-pl", "Wysyłać wiadomości znowu?")
            await tab.page.get_by_role("button").click()
            await check(tab, "unsubscribe-undone-pl", "Cofnięto")
            assert await Suppression.filter(lifted_at=None).count() == 0
