"""The page of an assistant link over HTTP: what it shows, what it never shows or changes, and how links are refused."""

import base64
import gzip
import hashlib
import re
import sys
import uuid
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from chatbot.models import Conversation
from recovery.models import Abandonment, Cart, CartItem, CartSwap, Email, LinkToken, Product
from recovery.runtime import Runtime
from recovery.stores.registry import change_settings
from recovery.tokens import CartClaims, sign_cart_link
from tests.chatbot.conftest import Node
from tests.chatbot.rows import EMAIL, Shop, make_shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def fetch(node: Node, path: str, **headers: str) -> httpx2.Response:
    """GET a page."""
    async with httpx2.AsyncClient(base_url=node.base) as http:
        return await http.get(path, headers=headers)


async def post(node: Node, body: Any, **headers: str) -> httpx2.Response:
    """POST for a session."""
    async with httpx2.AsyncClient(base_url=node.base) as http:
        return await http.post("/api/assistant/session", json=body, headers=headers)


async def test_the_page_shows_the_cart_and_changes_only_the_counters(node: Node, shop: Shop) -> None:
    page = await fetch(node, f"/a/{shop.token}")
    assert page.status_code == 200
    assert "Hala rain jacket, Moss green, M" in page.text
    assert "€239.00" in page.text
    assert "Which size fits me?" in page.text
    assert '<noscript><p class="says">' in page.text
    # In the header, without scripts, and when the talk is over.
    assert page.text.count('href="https://shop.example/cart"') == 3
    assert await Conversation.all().count() == 0
    assert (await LinkToken.get(jti=shop.link.jti)).uses == 1


async def test_the_shop_and_its_privacy_policy_are_one_tap_away_each(node: Node, shop: Shop) -> None:
    await change_settings(shop.store, {"privacy_url": "https://shop.example/privacy"})
    page = await fetch(node, f"/a/{shop.token}")
    assert re.search(
        r'/contact" rel="noreferrer">Contact the shop</a>\s*<a href="https://shop.example/privacy"', page.text
    )
    await change_settings(shop.store, {"contact_url": None})
    assert "Contact the shop" not in (await fetch(node, f"/a/{shop.token}")).text.partition("<script type")[0]


async def test_the_page_keeps_to_itself(node: Node, shop: Shop) -> None:
    page = await fetch(node, f"/a/{shop.token}")
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "noindex" in page.headers["x-robots-tag"]
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "connect-src 'self' ws://shop-helper.example;" in policy
    assert "img-src 'self' https://shop.example;" in policy
    assert "unsafe" not in policy
    assert EMAIL not in page.text
    assert "Jan" not in page.text


async def test_the_shop_has_its_colour_and_its_logo(node: Node, shop: Shop) -> None:
    await change_settings(shop.store, {"brand_color": "#FFE600", "logo_url": "https://shop.example/logo.svg"})
    page = await fetch(node, f"/a/{shop.token}")
    [rules] = re.findall(r"<style>(.*?)</style>", page.text)
    assert "--fill:#ffe600;--on-fill:#10151b" in rules
    allowed = base64.b64encode(hashlib.sha256(rules.encode()).digest()).decode()
    assert f"style-src 'self' 'sha256-{allowed}';" in page.headers["content-security-policy"]
    assert '<img class="logo" src="https://shop.example/logo.svg" alt="Hala &amp; Co."' in page.text


@pytest.mark.parametrize("logo", ["https://elsewhere.example/logo.svg", "http://shop.example/logo.svg"])
async def test_a_logo_from_elsewhere_is_left_out(node: Node, shop: Shop, logo: str) -> None:
    await change_settings(shop.store, {"logo_url": logo})
    page = await fetch(node, f"/a/{shop.token}")
    assert "logo.svg" not in page.text
    assert "<strong>Hala &amp; Co.</strong>" in page.text


async def test_the_page_is_light(node: Node, shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    await change_settings(shop.store, {"sender_address": "shop@shop.example", "brand_color": "#c0392b"})
    page = await fetch(node, f"/a/{shop.token}")
    assert "<dialog" in page.text
    html = re.sub(r'(id="boot">).*?(</script>)', r"\1\2", page.text, flags=re.S)
    assert len(html) < len(page.text) - 1000
    built = {name: (await fetch(node, f"/assets/assistant/assistant.{name}")).content for name in ("js", "css")}
    sizes = {name: len(gzip.compress(data, 9)) for name, data in (built | {"html": html.encode()}).items()}
    with capsys.disabled():
        sys.stdout.write(f"\nThe page, compressed: {sizes}, {sum(sizes.values())} bytes\n")
    assert sum(sizes.values()) <= 12 * 1024


async def test_only_what_is_nobodys_is_sent_compressed(node: Node, shop: Shop) -> None:
    script = await fetch(node, "/assets/assistant/assistant.js", **{"accept-encoding": "gzip"})
    assert script.headers["content-encoding"] == "gzip"
    page = await fetch(node, f"/a/{shop.token}", **{"accept-encoding": "gzip"})
    assert "content-encoding" not in page.headers


async def test_names_from_the_store_can_not_leave_their_place(node: Node, shop: Shop) -> None:
    hostile = "</script><script>alert(1)</script>\"'&"
    await CartItem.all().update(name=hostile)
    await shop.store.filter(id=shop.store.id).update(name=hostile)
    page = await fetch(node, f"/a/{shop.token}")
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert page.text.count("</script>") == 2


async def test_the_way_back_is_the_restore_link_of_the_same_mail(node: Node, shop: Shop, runtime: Runtime) -> None:
    email = await _email(shop, runtime)
    await LinkToken.filter(jti=shop.link.jti).update(email_id=email)
    now = runtime.now()
    restore = await LinkToken.create(
        jti="r" * 22, kind="restore", cart=shop.cart, store=shop.store, email_id=email,
        email_hash=shop.link.email_hash, created_at=now, expires_at=(now + timedelta(days=7)).replace(microsecond=0),
    )  # fmt: skip
    page = await fetch(node, f"/a/{shop.token}")
    assert 'href="http://shop-helper.example/r/' in page.text
    await LinkToken.filter(jti=restore.jti).update(revoked_at=now)
    assert "/r/" not in (await fetch(node, f"/a/{shop.token}")).text


async def _email(shop: Shop, runtime: Runtime) -> Any:
    abandonment = await _abandonment(shop, runtime)
    row = await Email.create(
        id="7b0e8a2e-4f3d-4f4f-9a55-0d6a6a4f9e10", connection_id=shop.cart.connection_id, store=shop.store,
        abandonment=abandonment, step=1, email_hash=shop.link.email_hash, created_at=runtime.now(),
        next_attempt_at=runtime.now(),
    )  # fmt: skip
    return row.id


async def _abandonment(shop: Shop, runtime: Runtime) -> Abandonment:
    return await Abandonment.create(
        connection_id=shop.cart.connection_id, store=shop.store, cart=shop.cart, open_key=shop.cart.id,
        detected_at=runtime.now(), fingerprint="f", total=1, currency="EUR", currency_digits=2,
    )  # fmt: skip


@pytest.mark.parametrize("spoil", ["cut", "other key", "revoked", "another person", "deleted", "gone", "nonsense"])
async def test_every_refusal_is_the_same_page(node: Node, shop: Shop, runtime: Runtime, spoil: str) -> None:
    token = shop.token
    if spoil == "cut":
        token = token[:-1]
    elif spoil == "other key":
        claims = CartClaims(
            "4711", shop.store.id, shop.link.email_hash, int(shop.link.expires_at.timestamp()), "x" * 22
        )
        token = sign_cart_link(runtime.keys, "restore", claims, runtime.now())
    elif spoil == "revoked":
        await LinkToken.all().update(revoked_at=runtime.now())
    elif spoil == "another person":
        await Cart.all().update(email_hash="h1:somebody else")
    elif spoil == "deleted":
        await Cart.all().update(status="deleted")
    elif spoil == "gone":
        await LinkToken.all().delete()
    else:
        token = "a.b.c"
    page = await fetch(node, f"/a/{token}", **{"accept-language": "en"})
    plain = await fetch(node, "/a/nonsense", **{"accept-language": "en"})
    assert (page.status_code, page.text) == (404, plain.text)


async def test_an_expired_link_still_leads_back(node: Node, runtime: Runtime) -> None:
    shop = await make_shop(runtime, minutes=-1)
    page = await fetch(node, f"/a/{shop.token}")
    assert page.status_code == 410
    assert 'href="https://shop.example/cart"' in page.text
    assert (await post(node, {"token": shop.token})).status_code == 410
    head, claims, signature = shop.token.split(".")
    forged = await fetch(node, f"/a/{head}.{claims}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}")
    assert forged.status_code == 404


async def test_the_page_speaks_the_language_of_the_store(node: Node, runtime: Runtime) -> None:
    shop = await make_shop(runtime, "pl")
    page = await fetch(node, f"/a/{shop.token}", **{"accept-language": "en"})
    assert '<html lang="pl">' in page.text
    assert "Wróć do koszyka" in page.text
    refused = await fetch(node, "/a/nonsense", **{"accept-language": "pl-PL,pl;q=0.9"})
    assert "Ten link nie działa" in refused.text


async def test_polish_addresses_people_as_the_store_does(node: Node, runtime: Runtime) -> None:
    shop = await make_shop(runtime, "pl")
    page = await fetch(node, f"/a/{shop.token}")
    assert "Cześć! Twój koszyk jest zapisany" in page.text
    assert (await node.open(shop.token))["disclosure"].startswith("Rozmawiasz z asystentem AI")
    await change_settings(shop.store, {"form_of_address": "formal"})
    page = await fetch(node, f"/a/{shop.token}")
    assert "Dzień dobry! Państwa koszyk jest zapisany" in page.text
    assert not re.search(r"\b(Tw[oó]|Zapytaj|możesz|Zajrzyj)", page.text)
    assert (await node.open(shop.token))["disclosure"].startswith("Rozmawiają Państwo z asystentem AI")


async def test_a_quantity_stands_before_the_name_with_its_unit(node: Node, shop: Shop) -> None:
    await CartItem.all().update(quantity=100_800)
    page = await fetch(node, f"/a/{shop.token}")
    assert '<span class="what"><span>10.08 × <a' in page.text
    await Product.all().update(sold_by="m2")
    page = await fetch(node, f"/a/{shop.token}")
    assert '<span class="what"><span>10.08\u00a0m² × <a' in page.text


async def test_a_line_that_only_the_shop_can_price_says_so(node: Node, shop: Shop) -> None:
    await Product.filter(product_id="hala-moss-s").update(tax_included=False)
    line = await CartItem.get(cart=shop.cart)
    await CartSwap.create(
        cart=shop.cart, client_id=uuid.uuid4(), product_id=line.product_id, quantity=line.quantity,
        taken_id="hala-moss-s", at=shop.link.created_at,
    )  # fmt: skip
    page = await fetch(node, f"/a/{shop.token}")
    assert '<span class="money">shown in the shop</span>' in page.text
    assert page.text.count("<strong data-total>shown in the shop</strong>") == 2


@pytest.mark.parametrize("body", [[], {}, {"token": 5}, {"token": "a.b.c"}, {"token": "x" * 9000}])
async def test_a_session_needs_a_genuine_link(node: Node, body: Any) -> None:
    assert (await post(node, body)).status_code in {400, 404}
    assert await Conversation.all().count() == 0


async def test_a_session_is_for_our_own_page_only(node: Node, shop: Shop) -> None:
    assert (await post(node, {"token": shop.token}, origin="https://evil.example")).status_code == 403
    assert (await post(node, {"token": shop.token}, **{"content-type": "text/plain"})).status_code == 415
    assert (await post(node, {"token": shop.token}, origin=node.chat.origin)).status_code == 200


async def test_a_closed_conversation_opens_no_more(node: Node, shop: Shop) -> None:
    await node.open(shop.token)
    await Conversation.all().update(status="closed")
    assert (await post(node, {"token": shop.token})).status_code == 410


async def test_a_cart_that_is_gone_opens_no_conversation(node: Node, shop: Shop) -> None:
    await Cart.all().update(status="merged")
    assert (await post(node, {"token": shop.token})).status_code == 410
    assert await Conversation.all().count() == 0
