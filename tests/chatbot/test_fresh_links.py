"""Ask again: the holder of a genuine link that is over gets a fresh one, and nobody else gets or learns anything."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from recovery import jobs
from recovery.models import Cart, LinkToken, Notice
from recovery.persons import Cause, suppress
from recovery.runtime import Runtime
from recovery.stores.registry import change_settings, set_mode
from recovery.tokens import UnsubscribeClaims, sign_session, sign_unsubscribe
from tests.chatbot.conftest import BRISK, PUBLIC_URL, Node, StartNode
from tests.chatbot.rows import EMAIL, Shop, make_shop
from tests.smtp_sink import SmtpSink

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def over(runtime: Runtime, empty: None) -> Shop:
    """A store that can send, and a link whose time is over since five minutes."""
    shop = await make_shop(runtime, minutes=-5)
    await change_settings(shop.store, {"sender_address": "shop@shop.example"})
    return shop


@pytest_asyncio.fixture(loop_scope="module")
async def http(node: Node) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=node.base) as client:
        yield client


async def again(http: httpx2.AsyncClient, token: str) -> httpx2.Response:
    return await http.post("/api/assistant/again", json={"token": token})


async def deliver(runtime: Runtime, sink: SmtpSink) -> dict[str, int]:
    settings = runtime.settings.model_copy(update={"smtp_host": sink.host, "smtp_port": sink.port})
    return (await jobs.notice(Runtime(settings, runtime.clock, runtime.keys, runtime.doorbell))).counts


async def test_the_fresh_link_goes_on_with_the_same_talk(
    node: Node, http: httpx2.AsyncClient, runtime: Runtime, over: Shop, smtp_sink: SmtpSink
) -> None:
    await LinkToken.filter(jti=over.link.jti).update(expires_at=runtime.now() + timedelta(minutes=5))
    refused = await http.post("/api/assistant/session", json={"token": over.token})
    assert refused.status_code == 410
    told = await again(http, over.token)
    assert (told.status_code, told.json()) == (202, {"sent_to": "j***@example.com"})
    assert await deliver(runtime, smtp_sink) == {"sent": 1}
    (mail,) = smtp_sink.messages
    assert mail.recipients == (EMAIL,)
    (link,) = re.findall(rf"{re.escape(PUBLIC_URL)}/a/(\S+)", mail.text())
    assert link in mail.text("html")
    first = await node.open(link)
    async with node.client() as client:
        await client.hello(first)
        turn = await client.ask("How long does delivery take?")
        await client.until_done(turn)
    # The next fresh link, asked for with the first fresh one when that is over, shows the same talk.
    await LinkToken.filter(renews=over.link.jti).update(
        created_at=runtime.now() - timedelta(hours=1), expires_at=runtime.now()
    )
    assert (await again(http, link)).status_code == 202
    assert await deliver(runtime, smtp_sink) == {"sent": 1}
    (other,) = re.findall(rf"{re.escape(PUBLIC_URL)}/a/(\S+)", smtp_sink.messages[-1].text())
    second = await node.open(other)
    assert second["conv"] == first["conv"]
    async with node.client() as client:
        await client.hello(second)
        assert await client.until_done(turn)


async def test_one_in_ten_minutes_and_five_in_a_day(http: httpx2.AsyncClient, runtime: Runtime, over: Shop) -> None:
    for n in range(5):
        assert (await again(http, over.token)).status_code == 202
        soon = await again(http, over.token)
        assert (soon.status_code, soon.json()) == (429, {"error": "rate"})
        assert 1 <= int(soon.headers["retry-after"]) <= (600 if n < 4 else 86_400)
        await LinkToken.filter(renews__isnull=False, created_at__gt=runtime.now() - timedelta(minutes=1)).update(
            created_at=runtime.now() - timedelta(minutes=11 * (5 - n))
        )
    late = await again(http, over.token)
    assert late.status_code == 429
    assert int(late.headers["retry-after"]) > 80_000
    assert await Notice.all().count() == 5


async def test_an_address_asks_so_often_an_hour(start_node: StartNode, runtime: Runtime, empty: None) -> None:
    async with (
        start_node(replace(BRISK, fresh_links_per_address=2)) as node,
        httpx2.AsyncClient(base_url=node.base) as http,
    ):
        codes = [(await again(http, "nonsense")).status_code for _ in range(3)]
    assert codes == [404, 404, 429]


@pytest.mark.parametrize(
    ("cause", "status"), [("complaint", 410), ("bounce", 410), ("manual", 410), ("unsubscribe", 202)]
)
async def test_who_complained_is_never_written_to(
    http: httpx2.AsyncClient, runtime: Runtime, over: Shop, cause: Cause, status: int
) -> None:
    assert over.cart.email_hash is not None
    await suppress(over.store.connection_id, over.cart.email_hash, cause, runtime.now())
    assert (await again(http, over.token)).status_code == status
    assert await Notice.all().count() == (status == 202)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"status": "ordered"}, 410, "ordered"),
        ({"status": "deleted"}, 410, "closed"),
        ({"status": "merged"}, 410, "closed"),
        ({"email": None}, 410, "closed"),
        ({"email": "eve@example.org", "email_hash": "h1:another"}, 404, "refused"),
    ],
)
async def test_a_cart_that_is_over_gets_a_plain_answer(
    http: httpx2.AsyncClient, over: Shop, changes: dict[str, Any], status: int, code: str
) -> None:
    await Cart.filter(id=over.cart.id).update(**changes)
    told = await again(http, over.token)
    assert (told.status_code, told.json()) == (status, {"error": code})
    assert await Notice.all().count() == 0


async def test_a_complaint_between_asking_and_sending_stops_it(
    http: httpx2.AsyncClient, runtime: Runtime, over: Shop, smtp_sink: SmtpSink
) -> None:
    assert (await again(http, over.token)).status_code == 202
    assert over.cart.email_hash is not None
    await suppress(over.store.connection_id, over.cart.email_hash, "complaint", runtime.now())
    assert await deliver(runtime, smtp_sink) == {"cancelled": 1}
    assert smtp_sink.messages == []


async def test_nobody_without_a_genuine_link_learns_anything(
    http: httpx2.AsyncClient, runtime: Runtime, over: Shop
) -> None:
    now = runtime.now()
    assert over.cart.email_hash is not None
    forged = over.token[:-4] + ("AAAA" if over.token[-4:] != "AAAA" else "BBBB")
    unsubscribe = sign_unsubscribe(runtime.keys, UnsubscribeClaims(over.store.id, over.cart.email_hash))
    for token in ("", "nonsense", forged, unsubscribe, sign_session(runtime.keys, "x", now)):
        told = await again(http, token)
        assert told.status_code in {400, 404}
        assert "@" not in told.text
    await LinkToken.filter(jti=over.link.jti).update(revoked_at=now)
    assert (await again(http, over.token)).status_code == 404
    assert await Notice.all().count() == 0


async def test_a_link_that_works_needs_no_other(http: httpx2.AsyncClient, runtime: Runtime, empty: None) -> None:
    shop = await make_shop(runtime, minutes=90)
    assert (await again(http, shop.token)).json() == {"error": "not_needed"}


async def test_a_store_that_cannot_send_promises_nothing(
    http: httpx2.AsyncClient, runtime: Runtime, over: Shop
) -> None:
    await set_mode(over.store, "paused", runtime.now())
    told = await again(http, over.token)
    assert (told.status_code, told.json()) == (503, {"error": "unavailable"})


async def test_another_page_may_not_ask(http: httpx2.AsyncClient, over: Shop) -> None:
    told = await http.post(
        "/api/assistant/again", json={"token": over.token}, headers={"Origin": "https://evil.example"}
    )
    assert told.status_code == 403
