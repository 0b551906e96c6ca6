"""The classic first test, in a real browser: leave a cart, get the mail, come back, ask, order, see it in the admin."""

import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.chromium import DESKTOP, PHONE, Tab, axe_violations, launch_browser, open_tab, overflow, screenshot
from tests.e2e.running import RunningDemo, running_demo

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PICTURE = """<!doctype html><html lang="en"><title>One cart's way</title><style>
body {{ margin: 0; padding: 28px; background: #e9ede9; display: flex; gap: 22px; width: 1384px; height: 640px;
        box-sizing: border-box; overflow: hidden; font: 600 17px system-ui, sans-serif; color: #1f2933 }}
figure {{ margin: 0; flex: 0 0 auto; display: flex; flex-direction: column; gap: 10px }}
.view {{ border-radius: 14px; overflow: hidden; box-shadow: 0 6px 26px #0003; background: #fff }}
.phone {{ width: 262px; height: 556px }} .wide {{ width: 760px; height: 556px }}
.view img {{ width: 100%; display: block }}
</style>{figures}</html>"""
FIGURE = '<figure><figcaption>{title}</figcaption><div class="view {kind}"><img alt="" src="{data}"></div></figure>'


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[RunningDemo]:
    with running_demo(tmp_path / "state") as running:
        yield running


async def look(page: Page, name: str) -> Path:
    """Check what every page must keep, and take its picture."""
    assert await axe_violations(page) == [], f"axe on {page.url}"
    assert await overflow(page) == 0, f"{page.url} is wider than its window"
    return await screenshot(page, name)


async def shop_and_leave(page: Page, base_url: str, name: str, address: str) -> None:
    await page.goto(base_url)
    await look(page, f"{name}-1-start")
    await page.get_by_role("link", name="Outdoor clothing").click()
    await look(page, f"{name}-2-shop")
    await page.get_by_role("link", name=re.compile("Hala rain jacket")).first.click()
    await page.get_by_role("radio", name="M", exact=True).check()
    await look(page, f"{name}-3-product")
    await page.get_by_role("button", name="Add to cart").click()
    await look(page, f"{name}-4-cart")
    await page.get_by_role("link", name="To the checkout").click()
    await page.get_by_label("E-mail", exact=False).first.fill(address)
    await page.locator("input[name=newsletter]").check()
    await look(page, f"{name}-5-contact")
    await page.get_by_role("button", name="Continue").click()
    await look(page, f"{name}-6-shipping")
    await page.get_by_role("link", name="Leave the shop").first.click()
    await look(page, f"{name}-7-left")
    await page.get_by_role("button", name="30 minutes later").click()


async def run_the_commands(demo: RunningDemo) -> None:
    """The original's manual sequence; the demo's own worker may have been faster, which changes nothing."""
    for command in ("detect", "score", "send-emails"):
        done = demo.run(command)
        assert done.returncode == 0, done.stderr


async def read_mail(page: Page, base_url: str, name: str, address: str) -> Path:
    await page.goto(f"{base_url}/inbox/")
    await page.get_by_text(address).first.wait_for(timeout=20_000)
    await look(page, f"{name}-8-inbox")
    await page.locator('a[href^="/inbox/0"]').first.click()
    frame = page.frame_locator("iframe")
    await expect(frame.get_by_text("Hala rain jacket").first).to_be_visible()
    return await screenshot(page, f"{name}-9-mail")


async def ask(page: Page, link: str, name: str) -> Path:
    await page.goto(link)
    await page.locator("textarea").fill("Is the jacket waterproof, and can I send it back?")
    await page.get_by_role("button", name="Send", exact=True).click()
    answer = page.get_by_text(re.compile("30 days|Water column")).first
    await expect(answer).to_be_visible(timeout=10_000)
    await page.locator("textarea").fill("What goes with the jacket?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Wetlina").first).to_be_visible(timeout=10_000)
    return await look(page, f"{name}-10-assistant")


async def restore_and_order(page: Page, link: str, name: str) -> None:
    await page.goto(link)
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Here is your cart")
    await look(page, f"{name}-11-restored")
    await page.get_by_role("link", name="To the checkout").click()
    await page.get_by_role("button", name="Continue").click()
    await page.locator("input[name=method]").first.check()
    await page.get_by_role("button", name="Continue").click()
    await page.locator("input[name=method]").first.check()
    await page.get_by_role("button", name="Continue").click()
    await look(page, f"{name}-12-review")
    await page.get_by_role("button", name=re.compile("order", re.IGNORECASE)).first.click()
    await look(page, f"{name}-13-ordered")


async def see_in_admin(page: Page, base_url: str, name: str) -> Path:
    await page.goto(f"{base_url}/demo/admin")
    await expect(page.locator("table").get_by_text("recovered", exact=True).first).to_be_visible(timeout=20_000)
    overview = await look(page, f"{name}-14-admin")
    await page.locator("table a").first.click()
    await expect(page.get_by_text("Recovered").first).to_be_visible()
    await expect(page.get_by_text("What goes with the jacket?").first).to_be_visible()
    await look(page, f"{name}-15-cart")
    return overview


async def links_of(tab: Tab, base_url: str, address: str) -> dict[str, str]:
    response = await tab.page.request.get(f"{base_url}/inbox/messages.json")
    (mail,) = [m for m in await response.json() if address in m["delivered_to"]]
    return {kind: next(link for link in mail["links"] if f"/{kind}/" in link) for kind in ("r", "a", "u")}


async def expect_recovered(demo: RunningDemo, address: str) -> None:
    told = demo.run("explain", address)
    assert "Recovered: an order of" in told.stdout, told.stdout


@pytest.mark.parametrize(("name", "viewport"), [("phone", PHONE), ("desktop", DESKTOP)])
async def test_the_classic_first_test(demo: RunningDemo, name: str, viewport: ViewportSize) -> None:
    address = f"{name}@example.com"
    async with launch_browser() as browser:
        async with open_tab(browser, viewport=viewport) as shop:
            await shop_and_leave(shop.page, demo.base_url, name, address)
            await run_the_commands(demo)
            mail = await read_mail(shop.page, demo.base_url, name, address)
            links = await links_of(shop, demo.base_url, address)
            assert shop.problems == []
        # Another device, as a mail is often read on another one than the shop was visited with.
        async with open_tab(browser, viewport=viewport) as other:
            chat = await ask(other.page, links["a"], name)
            await restore_and_order(other.page, links["r"], name)
            await expect_recovered(demo, address)
            admin = await see_in_admin(other.page, demo.base_url, name)
            await other.page.goto(links["u"])
            await look(other.page, f"{name}-16-unsubscribe")
            assert other.problems == []
        if name == "phone":
            async with open_tab(browser, viewport=DESKTOP) as wide:
                admin = await see_in_admin(wide.page, demo.base_url, "phone-wide")
            async with open_tab(browser, viewport=ViewportSize(width=1384, height=640)) as album:
                await paint(album.page, mail, chat, admin)


async def paint(page: Page, mail: Path, chat: Path, admin: Path) -> None:
    """The README's picture, from what was just seen."""
    figures = [
        FIGURE.format(title=title, kind=kind, data=data_uri(path))
        for title, kind, path in [
            ("The mail", "phone", mail),
            ("The assistant", "phone", chat),
            ("What the merchant sees", "wide", admin),
        ]
    ]
    await page.set_content(PICTURE.format(figures="".join(figures)))
    await screenshot(page, "journey")


def data_uri(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"
