"""The page against texts that want to be more than text, in a real browser: no script, no foreign request."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from playwright.async_api import Browser, expect

from chatbot import conversations, events
from chatbot.assistant import Cards, Piece, Source, publish_events
from chatbot.models import Conversation
from chatbot.turns import Claim
from recovery import db
from recovery.models import CartItem, Policy, Product, Store
from tests.chatbot.conftest import BRISK, Node, StartNode
from tests.chatbot.rows import Shop
from tests.chatbot.test_page_browser import ask
from tests.chromium import PHONE, open_tab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PAYLOADS = (
    "<script>window.pwned=1</script>",
    "</script><script>window.pwned=1</script>",
    "<img src=EVIL/i onerror=window.pwned=1>",
    "<svg onload=window.pwned=1><image href=EVIL/s /></svg>",
    "<iframe srcdoc='<script>parent.pwned=1</script>' src=EVIL/f></iframe>",
    "<link rel=stylesheet href=EVIL/c><style>@import 'EVIL/d'</style>",
    "<style>*{background:url(EVIL/b)}</style>",
    "<meta http-equiv=refresh content='0;url=EVIL/m'>",
    "<base href=EVIL/>",
    "<form action=EVIL/p><input autofocus onfocus=window.pwned=1></form>",
    "<video><source onerror=window.pwned=1 src=EVIL/v></video>",
    "<details open ontoggle=window.pwned=1>",
    "<a href='javascript:window.pwned=1' autofocus onfocus=window.pwned=1>x</a>",
    "\"'><img src=x onerror=window.pwned=1>",
    "{{constructor.constructor('window.pwned=1')()}} ${window.pwned=1}",
    "![x](EVIL/md) [y](javascript:window.pwned=1) <EVIL/auto>",
    "\u2028\u2029]]><!--<img src=EVIL/z>-->",
    "&lt;img src=EVIL/e onerror=window.pwned=1&gt;&#60;script&#62;",
    "javascript:window.pwned=1//EVIL/j",
    "data:text/html,<script>window.pwned=1</script>",
)


@asynccontextmanager
async def listener() -> AsyncIterator[tuple[str, list[bytes]]]:
    """A foreign server and what anybody asked of it."""
    heard: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readline())
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", heard


def card(payload: str, evil: str, number: int) -> dict[str, object]:
    """A product with the payload in each of its fields."""
    address = (payload, f"{evil}/card")[number % 2]
    texts = dict.fromkeys(("name", "price", "why"), payload)
    return texts | {"id": payload, "image": address, "url": address, "in_stock": True, "instead_of": "hala-moss-m"}


def line(payload: str, evil: str, number: int) -> dict[str, object]:
    """A line of the cart with the payload in each of its fields."""
    address = (payload, f"{evil}/line")[number % 2]
    texts = dict.fromkeys(("product_id", "name", "options", "quantity", "total", "was"), payload)
    return texts | {"image": address, "url": address, "in_stock": False}


async def tell(node: Node, payloads: list[str], evil: str) -> None:
    """The events of the cart, of a person and of a coupon, full of payloads."""
    conversation = await Conversation.get()
    lines = [line(payload, evil, number) for number, payload in enumerate(payloads)]
    frames = [
        events.cart(lines, payloads[0]),
        events.person("0b0e8a2e-4f3d-4f4f-9a55-0d6a6a4f9e10", payloads[2], payloads[1]),
        events.state(False)
        | {"coupon": {"code": payloads[0], "percent": payloads[2], "expires_at": "2999-01-01T00:00:00+00:00"}},
    ]
    async with db.in_transaction() as connection:
        told = await conversations.append(connection, conversation.id, frames, conversation.created_at)
    await publish_events(node.chat.fanout, conversation.id, told)


async def test_nothing_a_store_a_model_or_a_customer_says_is_more_than_text(
    start_node: StartNode, shop: Shop, browser: Browser
) -> None:
    async with listener() as (evil, heard):
        payloads = [payload.replace("EVIL", evil) for payload in PAYLOADS]
        whole = "\n".join(payloads)
        items = [card(payload, evil, number) for number, payload in enumerate(payloads)]

        async def say(_: Claim) -> AsyncGenerator[Piece, None]:
            yield Cards(items)
            for at in range(0, len(whole), 97):
                yield whole[at : at + 97]

        name = payloads[1][:200]
        await Store.filter(id=shop.store.id).update(name=name)
        await Product.all().update(name=name)
        await Policy.all().update(title=name, text=whole)
        options = [{"name": name, "value": payloads[2]}]
        await CartItem.all().update(name=name, options=options, url=payloads[18], image_url=f"{evil}/cart")
        async with (
            # Nobody looks at what the rows say: they would take back what is made up here.
            start_node(replace(BRISK, watch_seconds=3600), Source("hostile", say), own_origin=True) as node,
            open_tab(browser, viewport=PHONE) as tab,
        ):
            page, asked, opened = tab.page, [], []
            page.on("request", lambda request: asked.append(request.url))
            page.on("response", lambda response: opened.append(response.url))
            page.on("dialog", lambda dialog: tab.problems.append(f"dialog {dialog.message}"))
            await page.goto(f"{node.base}/a/{shop.token}")
            await ask(page, whole[:1100])
            await expect(page.get_by_role("button", name="Helpful", exact=True)).to_be_visible()
            await tell(node, payloads, evil)
            await expect(page.locator("#coupon")).to_contain_text(payloads[0])
            await page.locator("summary").click()
            for text in (payloads[0], payloads[9], payloads[17]):
                assert await page.get_by_text(text, exact=True).count() >= 2
            assert await page.evaluate("window.pwned") is None
            # Our own: the module, and the boot block that is data.
            assert await page.locator("script").count() == 2
            assert await page.locator("style, iframe, base, video, object, embed, main svg image").count() == 0
            assert await page.locator("[onerror], [onload], [onfocus], [ontoggle]").count() == 0
            assert await page.locator('a[href^="javascript:" i], a[href^="data:" i]').count() == 0
            assert [url for url in opened if not url.startswith(node.base)] == []
            assert {url for url in asked if not url.startswith(node.base)} <= {
                f"{evil}/{x}" for x in ("card", "line", "cart")
            }
            assert not [problem for problem in tab.problems if problem.startswith("dialog")]
        assert heard == []
