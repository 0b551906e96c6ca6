"""The admin's pages in a real browser: readable on a phone and a desktop, light and dark, without a script."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, Page, ViewportSize

from admin.signin import make_admin_link
from chatbot.app import create_app
from chatbot.server import listen, make_server
from recovery import jobs
from recovery.clock import SystemClock
from recovery.models import LinkToken
from tests.admin.test_pages import talk
from tests.chromium import DESKTOP, PHONE, Tab, axe_violations, launch_browser, open_tab, overflow, screenshot
from tests.shop import ADDRESS, Shop, item
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.browser

LONG = "https://shop.example.com/a/very/long/address/without/any/blank/" + "x" * 160
QUESTION = "Will the jacket keep me warm in the Tatra mountains in October, and can I send it back if it is too small?"
ANSWER = "The lining is made for cool days.\n\nYou can return it within 30 days; the store pays for that."


@asynccontextmanager
async def serving(shop: Shop) -> AsyncIterator[str]:
    """The shop's web process on a free port."""
    app = create_app({"runtime": shop.runtime, "chat": None}, ())
    listener = listen("127.0.0.1", 0)
    server = make_server(app, "127.0.0.1", listener.getsockname()[1])
    running = asyncio.create_task(server.serve(sockets=[listener]))
    await server.answers.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.stop()
        await running
        listener.close()


async def fill(shop: Shop, sink: SmtpSink) -> dict[str, str]:
    """A shop with some history; the paths of the pages worth looking at."""
    sink.answer("bo@example.com", "rcpt", 550, f"5.1.1 <bo@example.com> no such mailbox, see {LONG}")
    jacket = item(
        name="Hala down jacket", row_total=23900, sku="HALA-MOSS-M",
        options=[{"name": "Size", "value": "M"}, {"name": "Colour", "value": "Moss"}],
    )  # fmt: skip
    items = [jacket, item("B-7", row_total=15998, name="Dolina trekking socks", quantity=2)]
    people = [("1", ADDRESS), ("2", "bo@example.com"), ("3", f"{'a-very-long-name-' * 3}@{'sub.' * 8}example.com")]
    for number in range(4, 26):
        people.append((str(number), f"customer{number}@example.com"))
    for quote_id, address in people:
        customer = {"email": address, "registered": quote_id == "1", "orders_count": 2 if quote_id == "1" else 0}
        stage = "payment" if quote_id == "1" else "contact"
        await shop.cart(quote_id, items=items, total=39898, checkout_stage=stage, customer=customer)
    await shop.cart("nameless", cart_url="https://elsewhere.example/cart", customer={})
    await shop.send("cart.updated", {"quote_id": "26"})
    await shop.send("order.placed", {"order_id": "1"}, store="unknown")
    shop.clock.advance(minutes=31)
    for job in jobs.JOBS.values():
        await job(shop.runtime, jobs.EVERYTHING)
    episode = await shop.episode("1")
    await LinkToken.filter(email__abandonment_id=episode.id).update(
        uses=3, first_seen_at=shop.now, last_seen_at=shop.now
    )
    await talk(episode.cart_id, shop, QUESTION, ANSWER)
    await talk((await shop.episode("3")).cart_id, shop, LONG, LONG)
    shop.clock.advance(minutes=20)
    await shop.order(number="100045", total=39898)
    refused = await shop.episode("2")
    return {
        "overview": "/admin",
        "cart": f"/admin/carts/{episode.id}",
        "cart-refused": f"/admin/carts/{refused.id}",
        "conversations": "/admin/conversations",
        "hooks": "/admin/hooks",
        "unknown-cart": "/admin/carts/999999",
    }


async def check(page: Page, name: str) -> None:
    """No fault of accessibility, nothing wider than the window."""
    await screenshot(page, name)
    assert await axe_violations(page) == [], name
    assert await overflow(page) == 0, name


def faults(tab: Tab) -> list[str]:
    """What went wrong, but for the icon: Chromium fetches it last and gives up when the next page is opened sooner."""
    return [problem for problem in tab.problems if not problem.endswith("/admin/static/icon.svg failed")]


async def look(browser: Browser, address: str, paths: dict[str, str], size: ViewportSize) -> None:
    form = "phone" if size == PHONE else "desktop"
    async with open_tab(browser, viewport=size) as tab:
        assert (await tab.page.goto(f"{address}/admin")).status == 403  # type: ignore[union-attr]
        await check(tab.page, f"admin-signin-{form}")
        tab.problems.clear()  # Chromium reports a 403 as an error on the console
        await tab.page.goto(address + await make_admin_link(SystemClock().now()))
        assert tab.page.url == f"{address}/admin"
        for name, path in paths.items():
            await tab.page.goto(address + path)
            for summary in await tab.page.locator("summary").all():
                await summary.click()
            await check(tab.page, f"admin-{name}-{form}")
            if size == DESKTOP:
                await tab.page.emulate_media(color_scheme="dark")
                await check(tab.page, f"admin-{name}-{form}-dark")
                await tab.page.emulate_media(color_scheme="light")
        # The one page that is not found is told on the console too.
        assert [fault for fault in faults(tab) if "404" not in fault] == []


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
async def test_every_page_is_readable(shop: Shop, smtp_sink: SmtpSink, size: ViewportSize) -> None:
    paths = await fill(shop, smtp_sink)
    async with serving(shop) as address, launch_browser() as browser:
        await look(browser, address, paths, size)


async def test_empty_pages_are_readable(shop: Shop) -> None:
    paths = {f"empty-{name}": f"/admin{path}" for name, path in (("overview", ""), ("hooks", "/hooks"))}
    paths["empty-conversations"] = "/admin/conversations"
    async with serving(shop) as address, launch_browser() as browser:
        await look(browser, address, paths, PHONE)


async def test_a_person_finds_a_cart_by_keyboard_and_without_a_script(shop: Shop, smtp_sink: SmtpSink) -> None:
    await fill(shop, smtp_sink)
    async with serving(shop) as address, launch_browser() as browser, open_tab(browser, scripts=False) as tab:
        page = tab.page
        await page.goto(address + await make_admin_link(SystemClock().now()))
        await page.get_by_label("Status").select_option("recovered")
        await page.get_by_role("button", name="Show").press("Enter")
        assert await page.locator("tbody tr").count() == 1
        await page.locator("tbody a").first.press("Enter")
        await page.get_by_role("heading", name="What happened").wait_for()
        assert "Recovered: an order of" in await page.locator(".story").inner_text()
        await page.get_by_role("link", name="Conversations").press("Enter")
        await page.get_by_role("listitem").filter(has_text=QUESTION).get_by_role("link").press("Enter")
        assert QUESTION in await page.locator("main").inner_text()
        assert faults(tab) == []
