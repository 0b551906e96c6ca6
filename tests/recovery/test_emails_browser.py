"""The message as people see it: on a phone and in a window, by day and at night, with pictures and without."""

from typing import Any, Literal

import pytest
from playwright.async_api import Page, Route, ViewportSize

from recovery.emails import render_parts
from tests.chromium import axe_violations, launch_browser, overflow, screenshot
from tests.recovery.mail_examples import LOGO, full_letter

pytestmark = pytest.mark.browser

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="40"><rect width="160" height="40"/></svg>'
#: What axe-core asks of web pages and a mail has no place for.
OF_PAGES = ("region", "landmark", "page-has-heading-one")
Scheme = Literal["light", "dark"]


async def show(page: Page, html: str, *, pictures: bool) -> None:
    async def answer(route: Route) -> None:
        await (route.fulfill(content_type="image/svg+xml", body=SVG) if pictures else route.abort())

    await page.unroute("**/*")
    await page.route("https://s.example/**", answer)
    await page.set_content(html)


@pytest.mark.parametrize(("language", "color"), [("en", None), ("pl", "#f4c20d")])
async def test_it_can_be_read_and_used_everywhere(language: str, color: str | None) -> None:
    html, _ = render_parts(full_letter(language, brand_color=color))
    schemes: tuple[Scheme, ...] = ("light", "dark")
    async with launch_browser() as browser:
        for scheme in schemes:
            context = await browser.new_context(color_scheme=scheme)
            page = await context.new_page()
            for width in (320, 375, 600):
                await page.set_viewport_size(ViewportSize(width=width, height=900))
                for pictures in (True, False):
                    await show(page, html, pictures=pictures)
                    if width != 320:
                        shown = "pictures" if pictures else "no-pictures"
                        await screenshot(page, f"mail-{language}-{scheme}-{width}-{shown}")
                    await check(page)
            wrong = [each for each in await axe_violations(page) if not each.startswith(OF_PAGES)]
            assert wrong == [], (language, scheme)
            await context.close()


async def check(page: Page) -> None:
    """Nothing is cut off, the button is large and whole, and every line says its name and its price."""
    assert await overflow(page) == 0
    button: Any = await page.locator('a[href="https://c.example/r/R"]').bounding_box()
    width: int = await page.evaluate("innerWidth")
    assert button["height"] >= 40
    assert button["x"] >= 0
    assert button["x"] + button["width"] <= width
    for row in await page.locator("tr.line").all():
        cells = await row.locator("td").all()
        assert (await cells[-2].inner_text()).strip()
        assert any(letter.isdigit() for letter in await cells[-1].inner_text())
        right: Any = await cells[-1].bounding_box()
        assert right["x"] + right["width"] <= width


async def test_without_pictures_the_shop_is_named_where_its_logo_would_be() -> None:
    html, _ = render_parts(full_letter("en"))
    async with launch_browser() as browser:
        page = await browser.new_page()
        await show(page, html, pictures=False)
        logo = page.locator(f'img[src="{LOGO}"]')
        assert await logo.get_attribute("alt") == "Harbour & Finch"
        assert await page.locator("tr.line img").count() == 2
