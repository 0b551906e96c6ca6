"""The admin's pages show what happened, in figures that count right, and nobody's whole address."""

import logging
import re
import uuid
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest

from admin.carts import bars
from chatbot.models import Conversation, Turn
from recovery import jobs
from recovery.models import Abandonment, Email, JobRun, LinkToken, RejectedDelivery
from recovery.text import mask_addresses
from tests.llm_server import LlmServer, Reply, refuses
from tests.recovery.mail_shop import cart_of, choose_writer, honest, sells, writes
from tests.shop import ADDRESS, Shop, item
from tests.smtp_sink import SmtpSink

PAGES = ("/admin", "/admin/conversations", "/admin/hooks")
EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "<svg/onload=alert(1)>",
    "</title><h1>owned</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- --><iframe src=//evil.example>",
    "javascript:alert(1)",
    "&lt;b&gt;",
)


class Inspector(HTMLParser):
    """Collects what a browser would run or load."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def is_harmless(body: str) -> bool:
    seen = Inspector()
    seen.feed(body)
    handlers = [name for name, _ in seen.attributes if name.startswith("on") or name in {"style", "autofocus"}]
    targets = [value for name, value in seen.attributes if name in {"href", "src", "action"}]
    loads = seen.tags & {"script", "img", "iframe", "style", "object", "embed"}
    return not handlers and not loads and all(target.startswith(("/", "#")) for target in targets)


async def talk(cart_id: int, shop: Shop, question: str = "Is it warm?", answer: str = "It is.") -> Conversation:
    conversation = await Conversation.create(
        id=uuid.uuid4(),
        store_id=shop.store.id,
        cart_id=cart_id,
        link_jti=uuid.uuid4().hex[:22],
        language="en",
        created_at=shop.now,
        expires_at=shop.now + timedelta(days=1),
    )
    await Turn.create(
        conversation_id=conversation.id,
        client_id=uuid.uuid4(),
        status="done",
        finish="stop",
        question=question,
        answer=answer,
        answered_by="built-in",
        asked_at=shop.now,
    )
    return conversation


async def body(admin: httpx2.AsyncClient, path: str) -> str:
    response = await admin.get(path)
    assert response.status_code == 200, response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert is_harmless(response.text)
    return response.text


def tile(text: str, name: str) -> str:
    found = re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", text)
    assert found, name
    return found[1]


async def test_an_empty_installation_says_what_to_do_next(admin: httpx2.AsyncClient, shop: Shop) -> None:
    assert "cartback doctor carts" in await body(admin, "/admin")
    assert "cartback doctor assistant" in await body(admin, "/admin/conversations")
    assert "/hooks/v1/demo" in await body(admin, "/admin/hooks")
    await shop.store.delete()
    await shop.connection.delete()
    assert "cartback stores add" in await body(admin, "/admin")
    assert "cartback stores add" in await body(admin, "/admin/hooks")


async def test_the_overview_tells_of_a_cart_and_hides_the_address(admin: httpx2.AsyncClient, shop: Shop) -> None:
    await shop.queue()
    await shop.deliver()
    text = await body(admin, "/admin")
    assert ADDRESS not in text
    assert "a***@example.com" in text
    assert "€459.99" in text
    assert [tile(text, name) for name in ("Carts left behind", "Scored", "Mails sent", "Came back")] == list("1110")
    assert "checkout friction" in text
    assert "never seen" in text  # no worker runs here


async def test_recovered_revenue_counts_per_currency_until_it_is_reversed(
    admin: httpx2.AsyncClient, shop: Shop
) -> None:
    await shop.cart()
    await shop.cart("2", currency="JPY", total=9000, items=[item(row_total=9000)], customer={"email": "bo@example.com"})
    await shop.abandon()
    await shop.order("o1")
    await shop.order("o2", quote_id="2", currency="JPY", total=9000, customer={"email": "bo@example.com"})
    text = await body(admin, "/admin")
    assert tile(text, "Came back") == "2 · €469.99 · ¥9,000"
    assert tile(text, "Brought by us") == "0"
    assert tile(text, "More than the held-out") == "nobody held out"

    shop.clock.advance(minutes=1)
    await shop.order("o1", "cancelled", event="order.cancelled")
    text = await body(admin, "/admin")
    assert tile(text, "Came back") == "1 · ¥9,000"
    assert "cancelled since" in text

    shop.clock.advance(days=31)
    text = await body(admin, "/admin")
    assert [tile(text, name) for name in ("Carts left behind", "Came back", "Brought by us")] == ["0", "0", "0"]


async def test_what_we_brought_and_what_is_proved_stand_beside_what_came_back(
    admin: httpx2.AsyncClient, live: Shop
) -> None:
    await live.set(holdout_percent=50)
    for number in range(12):
        await live.cart(f"q{number}", customer={"email": f"p{number}@example.com"})
    await live.abandon()
    await Abandonment.all().update(arm="treatment")
    await Abandonment.filter(cart__quote_id__in=[f"q{number}" for number in range(6)]).update(arm="holdout")
    await live.plan()
    await live.deliver()
    mailed = await LinkToken.filter(kind="restore").prefetch_related("cart").order_by("cart_id")
    live.clock.advance(minutes=1)
    for number, link in enumerate(mailed):
        order: dict[str, Any] = {"quote_id": link.cart.quote_id, "customer": {"email": link.cart.email}}
        await live.order(f"o{number}", **order | ({"ref": link.jti} if number == 0 else {}))
    text = await body(admin, "/admin")
    assert tile(text, "Came back").startswith(f"{len(mailed)} · €")
    assert tile(text, "Brought by us") == "1 · €469.99"
    told = re.fullmatch(r"\+(\d+) people \(\+(\d+) … \+(\d+)\)", tile(text, "More than the held-out"))
    assert told, tile(text, "More than the held-out")
    assert int(told[1]) == len(mailed)
    assert int(told[2]) < len(mailed)


async def test_the_list_pages_and_filters(admin: httpx2.AsyncClient, shop: Shop) -> None:
    for number in range(23):
        await shop.cart(f"q{number}", customer={"email": f"p{number}@example.com"})
    await shop.abandon()
    await shop.order("o1", quote_id="q3", customer={"email": "p3@example.com"})
    first, second = await body(admin, "/admin"), await body(admin, "/admin?page=2")
    assert (first.count('data-label="Left"'), second.count('data-label="Left"')) == (20, 3)
    assert "Page 1 of 2" in first
    assert "page=2" in first
    recovered = await body(admin, f"/admin?status=recovered&store={shop.store.id}")
    assert recovered.count('data-label="Left"') == 1
    assert "Show all" in await body(admin, "/admin?status=expired")
    assert "Back to the first one" in await body(admin, "/admin?page=9")
    for nonsense in ("?page=x", "?page=-1", "?page=99999999999999999999", "?status=%27&store=x", "?store=%00"):
        await body(admin, f"/admin{nonsense}")


async def test_a_cart_page_tells_the_whole_story(admin: httpx2.AsyncClient, shop: Shop, smtp_sink: SmtpSink) -> None:
    await shop.cart(items=[item(options=[{"name": "Size", "value": "M"}], quantity="2.5", sku="K-12-M")])
    shop.clock.advance(minutes=31)
    for job in jobs.JOBS.values():
        await job(shop.runtime, jobs.EVERYTHING)
    episode = await shop.episode()
    await LinkToken.filter(kind="restore").update(uses=2, first_seen_at=shop.now, last_seen_at=shop.now)
    await talk(episode.cart_id, shop, f"Write to {ADDRESS}, is it warm?", "It is.")
    shop.clock.advance(minutes=5)
    await shop.order(number="100045")
    text = await body(admin, f"/admin/carts/{episode.id}")
    for words in (
        "Jacket K-12", "Size: M", "Quantity 2.5", "Detected as left behind", "how far the checkout went", "+0.10",
        "0.50", "Recovered", "€469.99", "100045", "It is.", "built-in", "fetched 2 times", "never fetched", "checks",
        "scores enough: yes", smtp_sink.to(ADDRESS)[0].message["Subject"], "We have kept everything for you",
    ):  # fmt: skip
        assert words in text, words
    assert ADDRESS not in text
    assert "250" in text  # the relay's answer


async def test_a_decision_tells_the_figures_its_checks_looked_at(admin: httpx2.AsyncClient, shop: Shop) -> None:
    await shop.set(min_intent_score=0.9, steps="recommended")
    await shop.cart()
    await shop.abandon()
    shop.clock.advance(hours=5)
    await shop.plan()
    text = await body(admin, f"/admin/carts/{(await shop.episode()).id}")
    assert "It is 0.5, the minimum 0.9." in text
    assert re.search(r"scores enough: no.*score 0\.5<.*minimum 0\.9<", text)


async def test_a_cart_page_tells_what_the_model_did(
    admin: httpx2.AsyncClient, shop: Shop, llm_server: LlmServer
) -> None:
    await choose_writer(shop, llm_server)
    await shop.set(ai_scoring="on")
    await sells(shop, "jacket")
    judged = Reply(('{"rationale": "A jacket with contact given.", "reason": "comparison", "score": 0.62}',))
    llm_server.script(judged, writes(honest(bullets=["Soft wool"])), refuses(401), writes(honest(closing="It is 5 €.")))
    pages = []
    for number in ("1", "2"):
        await shop.cart(number, **cart_of("en", customer={"email": f"a{number}@example.com"}))
        await shop.abandon()
        await shop.plan()
        await shop.deliver()
        pages.append(await body(admin, f"/admin/carts/{(await shop.episode(number)).id}"))
    first, second = pages
    for told in ("0.62", "(by model-a)", "A jacket with contact given.", "The built-in score is 0.52", "Soft wool"):
        assert told in first
    assert "Words by model-a" in first
    assert "model-a did not score it: key refused" in second
    assert "Ready-made words, because model-a did not write them: what it wrote may not be sent" in second
    assert is_harmless(first)
    assert is_harmless(second)


async def test_a_cart_not_yet_scored_or_mailed_says_so(admin: httpx2.AsyncClient, shop: Shop) -> None:
    await shop.cart()
    shop.clock.advance(minutes=31)
    await shop.detect()
    text = await body(admin, f"/admin/carts/{(await shop.episode()).id}")
    for words in (
        "Not scored yet",
        "Nothing is decided yet",
        "No mail was queued",
        "Nobody has opened",
        "not been ordered",
    ):
        assert words in text, words


@pytest.mark.parametrize("number", ["1", "0", str(2**63), "9" * 30])
async def test_an_unknown_cart_is_not_found(admin: httpx2.AsyncClient, number: str) -> None:
    response = await admin.get(f"/admin/carts/{number}")
    assert response.status_code == 404
    assert "no such cart" in response.text


async def test_a_refused_mail_shows_the_relay_and_no_address(
    admin: httpx2.AsyncClient, shop: Shop, smtp_sink: SmtpSink
) -> None:
    smtp_sink.answer(ADDRESS, "rcpt", 550, f"<{ADDRESS}> no such mailbox {EVIL[0]}")
    await shop.queue()
    await shop.deliver()
    text = await body(admin, f"/admin/carts/{(await shop.episode()).id}")
    assert "no such mailbox" in text
    assert ADDRESS not in text


async def test_a_job_that_met_trouble_is_told(admin: httpx2.AsyncClient, shop: Shop) -> None:
    at = shop.now
    await JobRun.create(job="email", started_at=at, finished_at=at, counts={}, error=f"en: relay refused {ADDRESS}")
    text = await body(admin, "/admin")
    assert "relay refused a***@example.com" in text
    assert "cartback doctor" in text


async def test_hooks_show_what_was_left_out_and_what_to_mend(admin: httpx2.AsyncClient, shop: Shop) -> None:
    await shop.cart(cart_url="https://elsewhere.example/cart")
    assert (await shop.send("cart.updated", {"quote_id": "1"})).status_code == 422
    await shop.post(b"{}", {"webhook-id": "x"})
    text = await body(admin, "/admin/hooks")
    for words in ("data.cart_url", "data.currency", "it is required", "the whole hook", "Sign id.timestamp.body"):
        assert words in text, words


async def test_what_a_page_loads_is_there(admin: httpx2.AsyncClient) -> None:
    loaded = re.findall(r'<link [^>]*href="([^"]+)"', await body(admin, "/admin"))
    types = {path: (await admin.get(path)).headers["content-type"].partition(";")[0] for path in loaded}
    assert types == {"/admin/static/admin.css": "text/css", "/admin/static/icon.svg": "image/svg+xml"}


async def test_conversations_show_the_last_question(admin: httpx2.AsyncClient, shop: Shop) -> None:
    await shop.cart()
    await shop.abandon()
    episode = await shop.episode()
    conversation = await talk(episode.cart_id, shop, f"I am {ADDRESS}. Is it warm?")
    text = await body(admin, "/admin/conversations")
    assert "I am a***@example.com. Is it warm?" in text
    assert f"/admin/carts/{episode.id}#conversation-{conversation.id}" in text
    assert "1 turn" in text
    assert "Asked for a person" not in text
    await Conversation.filter(id=conversation.id).update(waiting_since=conversation.created_at, waiting_address=ADDRESS)
    text = await body(admin, "/admin/conversations")
    assert "Asked for a person" in text
    assert "answer to a***@example.com" in text


@pytest.mark.parametrize("evil", EVIL)
async def test_no_text_from_outside_becomes_markup(
    admin: httpx2.AsyncClient, shop: Shop, smtp_sink: SmtpSink, evil: str
) -> None:
    shop.store.name = shop.connection.name = evil
    await shop.store.save()
    await shop.connection.save()
    smtp_sink.answer(ADDRESS, "rcpt", 550, evil)
    quote = evil[:64]
    await shop.cart(
        quote,
        items=[item(name=evil, sku=evil[:64], options=[{"name": evil, "value": evil}])],
        customer={"email": ADDRESS, "first_name": evil[:64], "group": evil[:64]},
    )
    await shop.abandon()
    await shop.plan()
    await shop.deliver()
    episode = await shop.episode(quote)
    words = (await Email.get()).words or {}
    await Email.all().update(
        subject=evil, closed_reason=evil, words=words | {"bullets": [evil], "closing": evil}, words_model=evil,
        words_cause=evil[:32], words_detail=evil,
    )  # fmt: skip
    await Abandonment.all().update(
        reason_code=evil[:32], scored_by=evil[:16], model_score=0.5, model_reason=evil[:32], model_rationale=evil,
        score_model=evil,
    )  # fmt: skip
    await talk(episode.cart_id, shop, evil, evil)
    await shop.order(evil[:64], "pending", quote_id=quote, number=evil)
    await RejectedDelivery.create(
        connection_id=shop.connection.id, webhook_id=evil, status=422, path=evil, code=evil, at=shop.now
    )
    at = shop.now
    await JobRun.create(job="email", started_at=at, finished_at=at, counts={}, error=evil)
    for path in (*PAGES, f"/admin/carts/{episode.id}"):
        text = await body(admin, path)
        assert "<" not in evil or evil not in text
        assert "49{%" not in text


async def test_the_number_of_queries_does_not_grow_with_the_rows(
    admin: httpx2.AsyncClient, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    async def queries(path: str) -> int:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="tortoise.db_client"):
            await body(admin, path)
        return len(caplog.records)

    await shop.queue()
    cart = (await shop.episode()).cart_id
    await talk(cart, shop)
    few = [await queries(path) for path in PAGES]
    for number in range(12):
        await shop.cart(f"q{number}", customer={"email": f"p{number}@example.com"})
        await talk(cart, shop)
    await shop.abandon()
    await shop.plan()
    assert [await queries(path) for path in PAGES] == few
    assert 3 < few[0] <= 16


def test_bars_point_both_ways_and_the_largest_is_longest() -> None:
    drawn = bars(
        [
            {"signal": "base", "value": "guest", "points": 0.4},
            {"signal": "earlier_abandonments", "value": 2, "points": -0.1},
            {"signal": "registered", "value": True, "points": 0.05},
        ]
    )
    assert [(bar.start, bar.length, bar.seen) for bar in drawn] == [(100, 100, "guest"), (75, 25, "2"), (100, 12.5, "")]
    assert [(bar.middle, bar.length) for bar in bars([{"signal": "base", "points": 0.4}])] == [(0, 200)]
    assert bars([]) == []


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("550 <anna@example.com> unknown", "550 <a***@example.com> unknown"),
        ("anna.kowalska+x@shop.example.pl.", "a***@shop.example.pl."),
        ("?to=anna%40example.com&x", "?to=a***@example.com&x"),
        ("zoë@bücher.example, bo@x.example", "z***@bücher.example, b***@x.example"),
        ("no address here @ all", "no address here @ all"),
    ],
)
def test_addresses_in_texts_are_masked(text: str, masked: str) -> None:
    assert mask_addresses(text) == masked
