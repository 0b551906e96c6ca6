"""Links from the mail over HTTP: fetching changes nothing, each opens only its own cart, unsubscribing needs a POST."""

import asyncio
import base64
import re
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
import structlog.testing

from recovery import db
from recovery.emails import unsubscribe_link
from recovery.links import open_link
from recovery.models import Cart, LinkToken, Suppression
from recovery.secrets import derive, key_id
from recovery.stores.registry import add_store
from recovery.swaps import swap
from recovery.tokens import CartClaims, sign_cart_link
from tests.shop import ADDRESS, HOST, SECRET_KEY, Shop, item
from tests.smtp_sink import SmtpSink

RESTORE_URL = f"https://{HOST}/cart/restore?lang=en"


async def mailed(live: Shop, sink: SmtpSink, **told: Any) -> dict[str, str]:
    """Send one mail and take its links out of it as a reader would: by their first letter r, a, u."""
    await live.queue(**told)
    assert (await live.deliver()).counts == {"sent": 1}
    text = sink.messages[-1].text("plain")
    return {path[0]: f"/{path}" for path in re.findall(r"http://127\.0\.0\.1:8000/([rau]/\S+)", text)}


async def snapshot() -> dict[str, Any]:
    """Every row of every table but the counters and the visits of links."""
    tables = await db.client().execute_query_dict(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'link_visit' ORDER BY tablename"
    )
    rows = {}
    for table in [row["tablename"] for row in tables]:
        query = f"SELECT row_to_json(t)::jsonb - 'uses' - 'first_seen_at' - 'last_seen_at' AS row FROM \"{table}\" t"
        rows[table] = sorted(str(row["row"]) for row in await db.client().execute_query_dict(query))
    return rows


def refused(response: httpx2.Response) -> None:
    assert response.status_code == 404, response.text
    assert "This link does not work any more" in response.text


async def test_fetching_changes_nothing_but_counters(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink, restore_url=RESTORE_URL)
    before = await snapshot()
    for path in (links["r"], links["u"]):
        for _ in range(5):
            assert (await live.client.get(path)).status_code in {200, 302}
        assert (await live.client.head(path)).status_code in {200, 302}
        await live.client.get(path, headers={"Purpose": "prefetch", "User-Agent": "Scanner"})
    assert await snapshot() == before
    assert (await live.client.get(links["r"])).status_code == 302
    link = await LinkToken.get(kind="restore")
    assert (link.uses, link.first_seen_at, link.last_seen_at) == (7, live.now, live.now)


async def test_fetches_at_the_same_moment_are_all_counted(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink)
    await asyncio.gather(*(live.client.get(links["r"]) for _ in range(12)))
    assert (await LinkToken.get(kind="restore")).uses == 12


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
async def test_a_restore_link_takes_no_other_method(live: Shop, smtp_sink: SmtpSink, method: str) -> None:
    links = await mailed(live, smtp_sink)
    assert (await live.client.request(method, links["r"])).status_code == 405


async def test_restoring_hands_over_to_the_shop(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink, restore_url=RESTORE_URL)
    response = await live.client.get(links["r"])
    assert response.status_code == 302
    target = urlsplit(response.headers["location"])
    query = parse_qs(target.query)
    assert (target.hostname, target.path, query["lang"]) == (HOST, "/cart/restore", ["en"])
    secret = live.secret.removeprefix("whsec_")
    proof = jwt.decode(
        query["cartback"][0],
        derive(base64.b64decode(secret), "handoff"),
        ["HS256"],
        audience="handoff",
        issuer="cartback",
    )
    assert (proof["quote_id"], proof["store"]) == ("1", "en")
    assert proof["ref"] == (await LinkToken.get(kind="restore")).jti
    assert proof["exp"] - proof["iat"] == 300
    assert "swap" not in proof
    for name, value in {"cache-control": "no-store", "referrer-policy": "no-referrer"}.items():
        assert response.headers[name] == value
    assert "set-cookie" not in response.headers


async def take_instead(live: Shop) -> None:
    """The customer took coat-l instead of coat-m."""
    for size in ("m", "l"):
        told = {"product_id": f"coat-{size}", "parent_id": "coat", "name": f"Coat, {size.upper()}", "price": 1200}
        await live.tell("product.updated", {"products": [told | {"currency": "EUR", "in_stock": True}]})
    async with db.in_transaction():
        cart = await Cart.get()
        assert await swap(cart, uuid.uuid4(), "coat-m", "coat-l", live.now) == "swapped"


async def test_a_variant_taken_instead_is_in_the_hand_off(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink, restore_url=RESTORE_URL, items=[item("coat-m", 1000, parent_id="coat")])
    await take_instead(live)
    location = (await live.client.get(links["r"])).headers["location"]
    proof = jwt.decode(parse_qs(urlsplit(location).query)["cartback"][0], options={"verify_signature": False})
    assert proof["swap"] == [["coat-m", "coat-l"]]


async def test_the_saved_cart_shows_a_variant_taken_instead(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink, items=[item("coat-m", 1000, parent_id="coat")], total=1000)
    await take_instead(live)
    page = (await live.client.get(links["r"])).text
    assert "Coat, L" in page
    assert "Chosen instead, today&#39;s price" in page
    assert page.count("€12.00") == 2
    assert "€10.00" not in page


async def test_without_a_restore_address_the_saved_cart_is_shown_line_by_line(live: Shop, smtp_sink: SmtpSink) -> None:
    lines = [item(name, 1000, unit_price=1000) for name in ("in", "dear", "sold", "gone", "other")]
    links = await mailed(live, smtp_sink, items=lines, cart_url=f"https://{HOST}/cart")
    product = {"currency": "EUR", "price": 1000, "in_stock": True}
    told = [
        product | {"product_id": "in", "name": "in"},
        product | {"product_id": "dear", "name": "dear", "price": 1200},
        product | {"product_id": "sold", "name": "sold", "in_stock": False},
        product | {"product_id": "gone", "name": "gone", "active": False},
    ]
    await live.tell("product.updated", {"products": told})
    response = await live.client.get(links["r"])
    assert response.status_code == 200
    states = re.findall(r'<li class="(\w+)">', response.text)
    assert states == ["in", "changed", "gone", "gone", "unknown"]
    assert "Price now: €12.00" in response.text
    assert f'href="https://{HOST}/cart"' in response.text
    assert ADDRESS not in response.text
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert f"img-src 'self' https://{HOST};" in policy
    assert "<script" not in response.text


async def test_a_saved_cart_shows_texts_as_texts(live: Shop, smtp_sink: SmtpSink) -> None:
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    line = item(evil, options=[{"name": evil, "value": evil}]) | {"name": evil}
    links = await mailed(live, smtp_sink, items=[line])
    page = (await live.client.get(links["r"])).text
    assert "<script" not in page
    assert "<img src=x" not in page


async def test_states_of_the_cart(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink)
    live.clock.advance(minutes=1)
    await live.cart(items=[item("other")])
    assert "Jacket other" in (await live.client.get(links["r"])).text
    await live.order()
    response = await live.client.get(links["r"])
    assert response.status_code == 200
    assert "This cart has been ordered" in response.text
    assert "Jacket" not in response.text


@pytest.mark.parametrize("event", ["cart.deleted", "cart.merged"])
async def test_a_cart_that_is_gone_is_refused(live: Shop, smtp_sink: SmtpSink, event: str) -> None:
    links = await mailed(live, smtp_sink)
    await live.tell(event, {"quote_id": "1", "into_quote_id": "2"})
    refused(await live.client.get(links["r"]))


async def test_a_link_ends_is_revoked_and_follows_its_person(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink)
    assert (await live.client.get(links["r"])).status_code == 200
    live.clock.advance(days=7, seconds=31)
    refused(await live.client.get(links["r"]))
    live.clock.advance(days=-1)
    assert (await live.client.get(links["r"])).status_code == 200
    await LinkToken.filter(kind="restore").update(revoked_at=live.now)
    refused(await live.client.get(links["r"]))
    await LinkToken.filter(kind="restore").update(revoked_at=None)
    assert (await live.client.get(links["r"])).status_code == 200
    await live.cart(customer={"email": "eva@example.com"})
    refused(await live.client.get(links["r"]))


async def test_a_link_opens_only_its_own_kind(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink)
    tokens = {kind: path.split("/")[2] for kind, path in links.items()}
    assert set(tokens) == {"r", "a", "u"}
    for path in ("r", "u"):
        for kind, token in tokens.items():
            if kind != path:
                refused(await live.client.get(f"/{path}/{token}"))
    refused(await live.client.post(f"/u/{tokens['r']}"))
    assert not await Suppression.exists()


async def test_a_genuine_signature_over_anything_else_is_refused(live: Shop, smtp_sink: SmtpSink) -> None:
    await mailed(live, smtp_sink)
    await live.cart("2", customer={"email": "eva@example.com"})
    link = await LinkToken.get(kind="restore")
    until = int((live.now + timedelta(days=1)).timestamp())
    good = CartClaims("1", live.store.id, link.email_hash, until, link.jti)
    eva = live.runtime.keys.email_hash("eva@example.com")
    other_store = await add_store(
        live.connection, "pl", "Tatry", language="pl", currency="PLN", timezone="Europe/Warsaw"
    )
    variants = {
        "good": good,
        "cart": CartClaims("2", good.store_id, eva, until, link.jti),
        "person": CartClaims("1", good.store_id, eva, until, link.jti),
        "store": CartClaims("1", other_store.id, link.email_hash, until, link.jti),
        "row": CartClaims("1", good.store_id, link.email_hash, until, "x" * 22),
    }
    for name, claims in variants.items():
        token = sign_cart_link(live.runtime.keys, "restore", claims, live.now)
        response = await live.client.get(f"/r/{token}")
        if name == "good":
            assert response.status_code == 200
        else:
            refused(response)
    # The row of an assistant link does not open as a restore link, even rightly signed.
    assistant = await LinkToken.get(kind="assistant")
    token = sign_cart_link(
        live.runtime.keys,
        "restore",
        CartClaims("1", live.store.id, assistant.email_hash, until, assistant.jti),
        live.now,
    )
    refused(await live.client.get(f"/r/{token}"))


async def test_every_refusal_looks_the_same(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink)
    genuine = links["r"].split("/")[2]
    live.clock.advance(days=30)
    pages = {
        (response.status_code, response.text)
        for token in (genuine, genuine[:-2], "a.b.c", "x", "é", "x" * 3000, "%00", "a.b.c%0d%0aX: y")
        for response in [await live.client.get(f"/r/{token}")]
    }
    assert len(pages) == 1


@pytest.mark.parametrize(
    "language",
    ["pl", "pl-PL,pl;q=0.9", "de", "", "*", ";;;", "../../pyproject", "x" * 5000, "/etc/passwd", "é", "pl" * 200],
)
async def test_a_refusal_speaks_the_browsers_language_whatever_it_says(shop: Shop, language: str) -> None:
    response = await shop.client.get("/r/a.b.c", headers={b"accept-language": language.encode()})
    assert response.status_code == 404
    wanted = "pl" if language.startswith("pl") and len(language) < 20 else "en"
    assert f'<html lang="{wanted}">' in response.text


async def test_the_older_secret_key_still_opens(live: Shop, smtp_sink: SmtpSink) -> None:
    link = (await mailed(live, smtp_sink))["r"]
    claims = (await open_link(live.runtime, "restore", link.split("/")[2], live.now)).link
    foreign = jwt.encode({"jti": claims.jti}, b"x" * 32, "HS256", headers={"kid": key_id(SECRET_KEY)})
    refused(await live.client.get(f"/r/{foreign}"))


FIELD = b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nfile\r\n--x--\r\n'
BODIES: list[tuple[str, bytes]] = [
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
    ("multipart/form-data; boundary=x", FIELD),
    ("application/x-www-form-urlencoded", b"confirm=1"),
    ("", b""),
    ("application/x-www-form-urlencoded", b"\xff\x00%zz=&&&=" * 50),
    ("application/x-www-form-urlencoded", b"a=1&" * 5000),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b"garbage"),
    ("multipart/form-data; boundary=x", FILE),
    ("application/json", b'{"List-Unsubscribe":"One-Click"}'),
    ("text/plain", b"\x00" * 100),
]  # fmt: skip


@pytest.mark.parametrize(("content_type", "body"), BODIES)
async def test_a_post_unsubscribes_at_once_whatever_its_body(live: Shop, content_type: str, body: bytes) -> None:
    mail = await live.queue()
    link = unsubscribe_link(live.runtime, live.store.id, live.runtime.keys.email_hash(ADDRESS))
    headers = {"content-type": content_type, "origin": "https://evil.example.org", "cookie": "a=b"}
    response = await live.client.post(link, content=body, headers=headers if content_type else {})
    assert response.status_code == 200, response.text
    assert "set-cookie" not in response.headers
    (suppression,) = await Suppression.all()
    assert (suppression.cause, suppression.store_id, suppression.lifted_at) == ("unsubscribe", live.store.id, None)
    await mail.refresh_from_db()
    assert (mail.status, mail.closed_reason) == ("suppressed", "unsubscribe")
    assert (await live.deliver()).counts == {}


async def test_unsubscribing_twice_is_once_and_can_be_undone(live: Shop) -> None:
    link = unsubscribe_link(live.runtime, live.store.id, live.runtime.keys.email_hash(ADDRESS))
    for _ in range(2):
        assert "undo" in (await live.client.post(link, data={"confirm": "1"})).text
    assert await Suppression.all().count() == 1
    response = await live.client.post(link, data={"undo": "1"})
    assert (response.status_code, "Undone" in response.text) == (200, True)
    assert await Suppression.filter(lifted_at=None).count() == 0
    await live.cart()
    await live.abandon()
    assert await live.plan() == {"queued": 1}


async def test_undoing_at_one_store_leaves_the_other(live: Shop) -> None:
    polish = await add_store(live.connection, "pl", "Tatry", language="pl", currency="PLN", timezone="Europe/Warsaw")
    person = live.runtime.keys.email_hash(ADDRESS)
    here, there = (unsubscribe_link(live.runtime, store, person) for store in (live.store.id, polish.id))
    await live.client.post(there)
    await live.client.post(here)
    await live.client.post(here, data={"undo": "1"})
    (left,) = await Suppression.filter(lifted_at=None)
    assert left.store_id == polish.id


async def test_undoing_takes_back_no_complaint(live: Shop) -> None:
    await live.tell("email.complained", {"email": ADDRESS, "at": live.now.isoformat()})
    link = unsubscribe_link(live.runtime, live.store.id, live.runtime.keys.email_hash(ADDRESS))
    await live.client.post(link, data={"undo": "1"})
    await live.cart()
    await live.abandon()
    assert await live.plan() == {"skipped": 1}


async def test_unsubscribing_at_one_store_does_not_silence_another(live: Shop) -> None:
    polish = await add_store(live.connection, "pl", "Tatry", language="pl", currency="PLN", timezone="Europe/Warsaw")
    await live.client.post(unsubscribe_link(live.runtime, polish.id, live.runtime.keys.email_hash(ADDRESS)))
    await live.cart()
    await live.abandon()
    assert await live.plan() == {"queued": 1}


async def test_asking_is_not_unsubscribing(live: Shop) -> None:
    link = unsubscribe_link(live.runtime, live.store.id, live.runtime.keys.email_hash(ADDRESS))
    response = await live.client.get(link)
    assert response.status_code == 200
    assert 'method="post"' in response.text
    assert not await Suppression.exists()


async def test_the_access_log_keeps_no_token(live: Shop, smtp_sink: SmtpSink) -> None:
    links = await mailed(live, smtp_sink)
    with structlog.testing.capture_logs() as logged:
        for path in links.values():
            token = path.split("/")[2]
            whole = [] if path.startswith("/a/") else [path, f"{path}?utm=1", f"{path}/"]
            for variant in (*whole, f"/{path}", f"/x{path}", path.upper(), f"/r//{token}"):
                await live.client.get(variant)
                await live.client.post(variant)
    told = str(logged)
    assert "http" in {line["event"] for line in logged}
    for path in links.values():
        header, payload, signature = path.split("/")[2].split(".")
        for part in (payload, signature, payload.upper(), signature.upper()):
            assert part not in told
    assert ADDRESS not in told
