"""Magento's CMS pages and blocks as policies: ticked, made text and tables, read anew, known to the assistant."""

import pytest

from admin import doctor_shops
from chatbot.knowledge import read_cart
from chatbot.size_tables import read_table
from chatbot.texts import load_texts
from recovery import sync_pages
from recovery.errors import CartbackError, NotFound
from recovery.models import Policy, ShopPage, Store
from recovery.stores.magento import open_magento
from recovery.stores.magento_auth import Credentials
from recovery.stores.magento_pages import readable
from tests.magento.desk import Desk
from tests.magento.fake import NEEDED, TOKEN
from tests.magento.fake_pages import FOR_PAGES

GUIDE = """<div data-content-type="row"><style>#x{color:red}</style><h2>Rozmiary kurtek</h2>
<table><thead><tr><th>Rozmiar</th><th>Klatka (cm)</th></tr></thead>
<tbody><tr><td>S</td><td>88–92</td></tr><tr><td><p>M</p></td><td>93–97</td></tr></tbody></table>
{{widget type="Magento\\Cms\\Block\\Widget" id="3"}}</div>"""
PASTED = '<div data-content-type="html">&lt;p&gt;Zwroty w 30 dni.&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</div>'


async def use(desk: Desk, store: Store, name: str, used_as: str) -> ShopPage:
    async with open_magento(desk.magento.url, Credentials(TOKEN), desk.clock.now, allow_private=True) as connector:
        return await sync_pages.use(store, connector, name, used_as, desk.clock.now())


@pytest.fixture
async def polish(desk: Desk) -> Store:
    """The Polish store view of a shop with pages, whose integration may read them."""
    desk.magento.switches.granted = NEEDED | FOR_PAGES
    state = desk.magento.state
    state.write("page", "size-guide", "Size guide", "<p>In English.</p>")
    state.write("page", "size-guide", "Tabela rozmiarów", GUIDE, (2,))
    state.write("page", "secret", "Only default", "<p>Hidden here.</p>", (1,))
    state.write("block", "returns", "Zwroty", PASTED)
    state.write("block", "slider", "Slider", "{{widget type='x'}}<img src='a.png'>")
    return await Store.get(code="pl")


def test_html_becomes_text_and_tables_rows() -> None:
    text = readable(GUIDE)
    assert "color" not in text
    assert "widget" not in text
    table = read_table(text, load_texts().of("pl"))
    spans = [(row.label, str(span.low), str(span.high)) for row in table.rows for span in row.spans.values()]
    assert spans == [("S", "88", "92"), ("M", "93", "97")]
    assert readable(PASTED) == "Zwroty w 30 dni."


async def test_a_page_is_known_at_once_and_read_anew(desk: Desk, polish: Store) -> None:
    async with open_magento(desk.magento.url, Credentials(TOKEN), desk.clock.now, allow_private=True) as connector:
        front = (await connector.fronts())[1]
        offered = [(told.kind, told.identifier, told.title) for told in await connector.texts(front)]
    assert offered == [
        ("block", "slider", "Slider"), ("block", "returns", "Zwroty"), ("page", "size-guide", "Tabela rozmiarów"),
    ]  # fmt: skip
    await use(desk, polish, "page:size-guide", "size_guide")
    await use(desk, polish, "block:returns", "returns")
    quote = desk.guest(2, "WJ-01-M-NAVY")
    desk.clock.advance(hours=1)
    await desk.sweep()
    known = await read_cart(polish, await desk.cart(quote))
    (guide,) = known.of_kind("size_guide")
    assert (guide.title, guide.url) == ("Tabela rozmiarów", f"{desk.magento.url}/size-guide")
    assert "S| 88–92" in guide.text
    assert [policy.text for policy in known.of_kind("returns")] == ["Zwroty w 30 dni."]
    assert not await Policy.filter(store__code="default").exists()

    desk.clock.advance(minutes=20)
    desk.magento.state.write("block", "returns", "Zwroty", "<p>Zwroty w 14 dni.</p>")
    desk.magento.forget()
    assert (await desk.sync())["pages"] == 1
    assert desk.magento.count("cmsBlock/search") == desk.magento.count("cmsPage/search") == 1
    assert (await Policy.get(kind="returns")).text == "Zwroty w 14 dni."
    desk.magento.forget()
    await desk.sync()
    assert desk.magento.count("cms") == 0


async def test_a_page_that_is_gone_is_known_no_more_and_told(desk: Desk, polish: Store) -> None:
    await use(desk, polish, "block:returns", "returns")
    await desk.sync()
    desk.clock.advance(hours=25)
    desk.magento.state.texts = [text for text in desk.magento.state.texts if text["identifier"] != "returns"]
    await desk.sync()
    assert (await Policy.get(kind="returns")).text == ""
    assert [f.words for f in await doctor_shops.examine(desk.clock.now())][1:] == [
        "'Zwroty' is gone from the shop, so the assistants do not know it"
    ]
    await sync_pages.forget(polish, "block:returns", desk.clock.now())
    assert not await ShopPage.exists()


async def test_forgetting_takes_the_policy_away_at_once(desk: Desk, polish: Store) -> None:
    await use(desk, polish, "block:returns", "returns")
    await sync_pages.forget(polish, "block:returns", desk.clock.advance(minutes=1))
    assert (await Policy.get(kind="returns")).text == ""
    with pytest.raises(NotFound):
        await sync_pages.forget(polish, "block:returns", desk.clock.now())


@pytest.mark.parametrize(
    ("name", "used_as", "words"),
    [
        ("page:secret", "faq", "shows no"),
        ("block:slider", "faq", "no text of its own"),
        ("page:size-guide", "sizes", "no kind of policy"),
    ],
)
async def test_what_can_not_be_used_is_refused(desk: Desk, polish: Store, name: str, used_as: str, words: str) -> None:
    with pytest.raises(CartbackError, match=words):
        await use(desk, polish, name, used_as)
    assert not await ShopPage.exists()


async def test_a_right_that_is_taken_away_stops_only_the_pages(desk: Desk, polish: Store) -> None:
    await use(desk, polish, "block:returns", "returns")
    desk.magento.switches.granted = NEEDED
    desk.guest(2, "BP-30")
    assert (await desk.sync())["carts"] == 1
    assert (await Policy.get(kind="returns")).text == "Zwroty w 30 dni."
    assert "Magento_Cms::block" in (await doctor_shops.examine(desk.clock.now()))[1].words
    desk.magento.switches.granted = NEEDED | FOR_PAGES
    desk.clock.advance(minutes=20)
    await desk.sync()
    assert len(await doctor_shops.examine(desk.clock.now())) == 1
