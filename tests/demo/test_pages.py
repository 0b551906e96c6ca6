"""Every page is one a person can use: its language, one heading, named fields, no inline code, no dead links."""

import re
from html.parser import HTMLParser

import pytest

from tests.demo.conftest import BASE, Browser, DemoWorld

TOOLS = {"start", "inbox", "hooks"}
BOXES = {"input", "select", "textarea"}


class Page(HTMLParser):
    """What the checks need to know of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.lang = ""
        self.h1 = 0
        self.title = ""
        self.links: list[str] = []
        self.inline: list[str] = []
        self.unnamed: list[str] = []
        self.ids: list[str] = []
        self.pictures_without_alt = 0
        self._label_for = set(re.findall(r'<label[^>]* for="([^"]+)"', html))
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        if tag not in {"input", "img", "link", "meta", "br"}:
            self._open.append(tag)
        if tag == "html":
            self.lang = known.get("lang", "")
        self.h1 += tag == "h1"
        if "id" in known:
            self.ids.append(known["id"])
        if tag == "a":
            self.links.append(known["href"])
        if tag in {"img", "iframe", "script", "link"}:
            self.links.append(known.get("src") or known.get("href") or "")
        if tag == "img" and "alt" not in known:
            self.pictures_without_alt += 1
        self.inline += [name for name in known if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in known):
            self.inline.append(tag)
        named = known.get("id") in self._label_for or "label" in self._open or "aria-label" in known
        if tag in BOXES and known.get("type") != "hidden" and not named:
            self.unnamed.append(known.get("name", tag))

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data


async def every_page(browser: Browser) -> dict[str, str]:
    """All pages of a store in the states a visitor meets, as HTML by name."""
    found = {}

    async def keep(name: str, path: str) -> None:
        found[name] = (await browser.get(path)).text

    for name, path in (("start", "/"), ("inbox", "/inbox/"), ("list", ""), ("category", "?category=jackets")):
        await keep(name, path)
    for product in ("hala", "beanie", "socks", "care-kit"):
        await keep(product, f"product/{product}")
    for name in ("help", "account", "cart", "left", "restore", "product/none"):
        await keep(f"empty {name}", name)
    await browser.fill("hala-moss-m")
    for name in ("cart", "checkout/contact", "left"):
        await keep(name, name)
    await browser.post("login", customer="c-201" if browser.store == "pl" else "c-101", next="checkout")
    await keep("account", "account")
    await keep("known contact", "checkout/contact")
    await browser.post("checkout/contact", newsletter="yes")
    await keep("shipping", "checkout/shipping")
    await browser.post("checkout/shipping", method="locker")
    found["declined"] = (await browser.post("checkout/payment", method="declined")).text
    found["review"] = (await browser.post("checkout/payment", method="transfer")).text
    page = await browser.post("order")
    found["order"] = page.text
    found["cancelled"] = (await browser.post(f"{page.url.path}/cancel")).text
    await browser.told()
    await keep("hooks", "/shop/hooks")
    return found


@pytest.mark.parametrize("store", ["en", "pl"])
async def test_pages_are_well_made(browser: Browser, world: DemoWorld, store: str) -> None:
    pages = await every_page(world.browser(browser.site, store))
    titles = set()
    for name, html in pages.items():
        page = Page(html)
        assert page.lang == ("en" if name in TOOLS else store), name
        assert page.h1 == 1, name
        assert page.title.strip(), name
        assert page.inline == [], name
        assert page.unnamed == [], name
        assert page.pictures_without_alt == 0, name
        assert len(page.ids) == len(set(page.ids)), name
        assert "None" not in re.sub(r"<[^>]+>", " ", html), name
        titles.add(page.title)
    assert len(titles) >= 15


@pytest.mark.parametrize("store", ["en", "pl"])
async def test_every_link_leads_somewhere(browser: Browser, world: DemoWorld, store: str) -> None:
    visitor = world.browser(browser.site, store)
    links = {link.split("#")[0] for html in (await every_page(visitor)).values() for link in Page(html).links}
    assert all(link.startswith("/") for link in links if link)
    for link in sorted(links - {"", "/admin"}):
        answer = await visitor.client.get(link)
        assert answer.status_code == 200, link
        assert answer.content, link


async def test_links_to_sections_find_them(browser: Browser) -> None:
    ids = Page((await browser.get("help")).text).ids
    assert {"shipping", "returns", "payment", "size_guide_tops", "size_guide_trousers"} <= set(ids)


async def test_pages_carry_a_strict_policy(browser: Browser) -> None:
    for path in ("/", "/inbox/", "/shop/hooks", "/shop/en/", "/shop/en/cart"):
        headers = (await browser.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"


async def test_the_other_language_is_spoken_in_its_own_store(browser: Browser, world: DemoWorld) -> None:
    page = (await world.browser(browser.site, "pl").get("product/hala?choice=hala-lake-m")).text
    assert '<html lang="pl">' in page
    assert "Kurtka przeciwdeszczowa Hala" in page
    assert "Kolor: Jezioro" in page
    assert "999,00\xa0zł" in page
    assert re.search(r'value="hala-lake-m"[^>]*checked', page)
    assert re.search(r'value="hala-lake-l"[^>]*disabled', page)


async def test_what_is_not_there_says_so(browser: Browser) -> None:
    for path in ("/shop/de/", "/shop/en/product/nothing", "/shop/pictures/nothing.svg", "/shop/en/order/ONOBODYS"):
        assert (await browser.get(path)).status_code == 404
    assert str((await browser.get("/shop/")).url) == f"{BASE}/shop/en/"


async def test_the_hooks_page_shows_what_was_told(browser: Browser) -> None:
    browser.endpoint.answers.append((422, {}))
    browser.endpoint.body = {"errors": [{"path": "data.items", "code": "missing", "message": "<i>"}]}
    await browser.fill()
    await browser.told()
    page = (await browser.get("/shop/hooks")).text
    assert "cart.updated" in page
    assert "data.items: missing &lt;i&gt;" in page
