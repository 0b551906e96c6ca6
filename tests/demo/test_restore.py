"""The way back from an e-mail: only a genuine hand-off opens a cart, and nobody is logged in by it."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from recovery.demo.catalogue.loading import load_catalogue
from recovery.demo.catalogue.model import Catalogue
from recovery.demo.handoff import handoff_key
from tests.demo import payloads
from tests.demo.conftest import Browser, DemoWorld, words
from tests.demo.hook_endpoint import SECRET


def key_of(secret: str) -> bytes:
    """The same key by another implementation of HKDF."""
    raw = base64.b64decode(secret.removeprefix("whsec_"))
    return HKDF(SHA256(), 32, salt=b"", info=b"handoff").derive(raw)


def packed(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def token(quote_id: str, *, secret: str = SECRET, head: dict[str, str] | None = None, **changes: Any) -> str:
    now = int(time.time())
    claims = {"iss": "cartback", "aud": "handoff", "quote_id": quote_id, "store": "en", "ref": "r-1"}
    body = {**claims, "iat": now, "exp": now + 300, **changes}
    signed = f"{packed(json.dumps(head or {'alg': 'HS256'}).encode())}.{packed(json.dumps(body).encode())}"
    return f"{signed}.{packed(hmac.digest(key_of(secret), signed.encode(), hashlib.sha256))}"


async def open_link(browser: Browser, handoff: str) -> httpx2.Response:
    return await browser.get(f"restore?cartback={handoff}")


@pytest.fixture
async def left_behind(browser: Browser) -> str:
    """The quote id of a cart with an address that somebody left."""
    cart = await browser.fill("hala-moss-m")
    await browser.give_email("anna@example.com")
    return cart.quote_id


def test_the_key_is_the_documented_one() -> None:
    assert handoff_key(SECRET) == key_of(SECRET)


async def test_a_good_handoff_brings_the_cart_into_another_browser(
    browser: Browser, world: DemoWorld, left_behind: str
) -> None:
    phone = world.browser(browser.site)
    page = await open_link(phone, token(left_behind))
    assert page.status_code == 200
    assert page.url.path == "/shop/en/restored"
    assert "cartback=" not in str(page.url)
    assert "Hala rain jacket, Moss green, M In your cart, unchanged" in words(page.text)
    told = (await browser.told()).of("cart.restored")
    payloads.envelope(told[0].envelope)
    assert [(hook.data["quote_id"], hook.data["ref"]) for hook in told] == [(left_behind, "r-1")]
    assert "Hala rain jacket" in (await phone.get("cart")).text


async def test_it_shows_no_address_and_logs_nobody_in(browser: Browser, world: DemoWorld) -> None:
    cart = await browser.fill()
    await browser.post("login", customer="c-101", next="checkout")
    await browser.post("checkout/contact")
    phone = world.browser(browser.site)
    await open_link(phone, token(cart.quote_id))
    contact = await phone.get("checkout/contact")
    assert "robin.hartley" not in contact.text
    assert "r•••@example.com" in contact.text
    assert "You are not logged in" in (await phone.get("account")).text
    await phone.post("checkout/contact", email="", newsletter="yes")
    assert (await browser.told()).last("cart.updated")["customer"]["email"] == "robin.hartley@example.com"


async def test_opened_twice_it_is_told_once(browser: Browser, world: DemoWorld, left_behind: str) -> None:
    phone = world.browser(browser.site)
    handoff = token(left_behind)
    versions = []
    for _ in range(2):
        page = await open_link(phone, handoff)
        assert "In your cart, unchanged" in words(page.text)
        versions.append(browser.cart().version)
    assert len((await browser.told()).of("cart.restored")) == 1
    assert versions[0] == versions[1]


async def test_a_variant_taken_instead_is_in_the_cart(browser: Browser, world: DemoWorld, left_behind: str) -> None:
    phone = world.browser(browser.site)
    for _ in range(2):
        page = await open_link(phone, token(left_behind, swap=[["hala-moss-m", "hala-moss-s"]]))
        assert "Hala rain jacket, Moss green, S" in words(page.text)
    (line,) = (await browser.told()).last("cart.updated")["items"]
    assert (line["product_id"], line["quantity"]) == ("hala-moss-s", 1)


@pytest.mark.parametrize(
    "swap",
    [
        ["hala-moss-m", "nonsense"],
        ["nonsense", "hala-moss-s"],
        ["hala-moss-m", "poziomka-socks-grey-m"],
    ],
)
async def test_a_swap_that_cannot_be_opens_the_cart_as_it_was(
    browser: Browser, world: DemoWorld, left_behind: str, swap: list[str]
) -> None:
    page = await open_link(world.browser(browser.site), token(left_behind, swap=[swap]))
    assert "Hala rain jacket, Moss green, M" in words(page.text)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 60},
        {"store": "pl"},
        {"aud": "session"},
        {"iss": "somebody"},
        {"secret": "whsec_" + "YW5vdGhlcmFub3RoZXJhbm90aGVyYW5v"},
        {"head": {"alg": "none"}},
        {"head": {"alg": "HS512"}},
        {"quote_id": "QNOBODYS"},
        {"exp": "soon"},
        {"ref": None},
        {"ref": ""},
    ],
    ids=lambda changes: "-".join(changes),
)
async def test_a_bad_handoff_gets_one_friendly_page(
    browser: Browser, world: DemoWorld, left_behind: str, changes: dict[str, Any]
) -> None:
    phone = world.browser(browser.site)
    page = await open_link(phone, token(**{"quote_id": left_behind, **changes}))
    assert page.status_code == 410
    assert "This link has run out" in page.text
    assert 'href="/shop/en/"' in page.text
    assert not (await browser.told()).of("cart.restored")
    assert "Your cart is empty" in (await phone.get("cart")).text


@pytest.mark.parametrize("garbage", ["", "x", "a.b.c", "..", "é.é.é", "W10.W10.W10", "." * 200])
async def test_garbage_is_no_handoff(browser: Browser, garbage: str) -> None:
    assert (await open_link(browser, garbage)).status_code == 410


async def test_a_token_with_any_letter_changed_is_refused(browser: Browser, left_behind: str) -> None:
    genuine = token(left_behind)
    for place in range(0, len(genuine) - 2, 7):
        letter = "A" if genuine[place] != "A" else "B"
        assert (await open_link(browser, genuine[:place] + letter + genuine[place + 1 :])).status_code == 410


async def test_thirty_seconds_of_clock_difference_are_forgiven(browser: Browser, left_behind: str) -> None:
    assert (await open_link(browser, token(left_behind, exp=int(time.time()) - 15))).status_code == 200


async def test_expiry_is_real_time_not_the_time_of_the_demo(
    browser: Browser, world: DemoWorld, left_behind: str
) -> None:
    world.clock.advance(600)
    assert (await open_link(browser, token(left_behind))).status_code == 200


async def test_a_link_checker_brings_nobody_back(browser: Browser, left_behind: str) -> None:
    answer = await browser.client.head(f"/shop/en/restore?cartback={token(left_behind)}")
    assert (answer.status_code, answer.headers.get("set-cookie")) == (200, None)
    assert not (await browser.told()).of("cart.restored")


async def test_the_order_after_it_carries_the_ref(browser: Browser, world: DemoWorld, left_behind: str) -> None:
    phone = world.browser(browser.site)
    await open_link(phone, token(left_behind))
    await phone.post("checkout/contact", email="", newsletter="yes")
    await phone.post("checkout/shipping", method="locker")
    await phone.post("checkout/payment", method="card")
    await phone.post("order")
    order = (await browser.told()).last("order.placed")
    assert (order["quote_id"], order["ref"]) == (left_behind, "r-1")
    page = await open_link(phone, token(left_behind, ref="r-2"))
    assert "already an order" in page.text
    assert len((await browser.told()).of("cart.restored")) == 1


@pytest.mark.parametrize(("choice", "hook"), [("merge", "cart.merged"), ("leave", "cart.deleted")])
async def test_another_cart_is_put_together_only_after_asking(
    browser: Browser, world: DemoWorld, left_behind: str, choice: str, hook: str
) -> None:
    phone = world.browser(browser.site)
    other = (await phone.fill("cap-moss", 2)).quote_id
    page = await open_link(phone, token(left_behind))
    assert "2 items worth €54.00" in words(page.text)
    assert "Trail cap" not in (await phone.get("cart")).text
    await phone.post("restore/aside", choice=choice)
    told = (await browser.told()).last(hook)
    assert told["quote_id"] == other
    lines = {line.variant_id: line.quantity for line in browser.site.shop.records.carts[left_behind].lines}
    assert lines == {"hala-moss-m": 1, **({"cap-moss": 2} if choice == "merge" else {})}
    if choice == "merge":
        assert told["into_quote_id"] == left_behind
    await phone.post("restore/aside", choice=choice)
    assert len((await browser.told()).of(hook)) == 1
    for received in browser.endpoint.received:
        payloads.envelope(received.envelope)


async def test_another_account_is_asked_first(browser: Browser, world: DemoWorld, left_behind: str) -> None:
    phone = world.browser(browser.site)
    await phone.post("login", customer="c-102", next="account")
    handoff = token(left_behind)
    page = await open_link(phone, handoff)
    assert "belongs to another account" in page.text
    assert not (await browser.told()).of("cart.restored")
    assert "Your cart is empty" in (await phone.get("cart")).text
    switched = await phone.post("restore/switch", cartback=handoff)
    assert switched.url.path == "/shop/en/restored"
    assert len((await browser.told()).of("cart.restored")) == 1
    assert "You are not logged in" in (await phone.get("account")).text


async def test_logging_in_does_not_take_another_customers_cart(browser: Browser, world: DemoWorld) -> None:
    cart = await browser.fill()
    await browser.post("login", customer="c-101", next="checkout")
    phone = world.browser(browser.site)
    await open_link(phone, token(cart.quote_id))
    await phone.post("login", customer="c-102", next="checkout")
    assert cart.customer_id == "c-101"
    assert "Your cart is empty" in (await phone.get("cart")).text


async def test_it_says_per_line_what_changed(browser: Browser, world: DemoWorld) -> None:
    for variant, quantity in (
        ("hala-moss-m", 1),
        ("rosa-lake-s", 1),
        ("mitts-s", 2),
        ("cap-sand", 1),
        ("tube-lake", 1),
    ):
        await browser.fill(variant, quantity)
    await browser.give_email()
    await browser.told()
    await browser.site.stop()
    later = world.browser(await world.open({"en": changed_shelf()}))
    page = words((await open_link(later, token(browser.cart().quote_id))).text)
    assert "Hala rain jacket, Moss green, M In your cart, unchanged" in page
    assert "Rosa merino T-shirt, Lake blue, S In your cart; it now costs €59.00 (before: €65.00)" in page
    assert "Insulated mitts, S In your cart, but only 1 of 2 are left" in page
    assert "Trail cap, Sand Sold out meanwhile" in page
    assert "Neck tube, Lake blue No longer sold" in page
    cart = (await later.told()).last("cart.updated")
    payloads.cart(cart)
    assert {line["product_id"]: line["quantity"] for line in cart["items"]} == {
        "hala-moss-m": 1,
        "rosa-lake-s": 1,
        "mitts-s": 1,
    }


def changed_shelf() -> Catalogue:
    """The English shelf a day later: one price lower, one variant scarce, one sold out, one gone."""
    shelf = load_catalogue("outdoor", "en", "EUR")
    variants = dict(shelf.variants)
    variants["rosa-lake-s"] = replace(variants["rosa-lake-s"], price=5900)
    variants["mitts-s"] = replace(variants["mitts-s"], stock=1)
    variants["cap-sand"] = replace(variants["cap-sand"], stock=0)
    del variants["tube-lake"]
    return replace(shelf, variants=variants)
