"""A shared cart: for anybody who has its link, about nobody, and good for nothing else."""

from datetime import timedelta

import pytest

from recovery import sharing
from recovery.models import Cart, CartItem, LinkToken, Product
from recovery.secrets import Keys
from recovery.tokens import ShareClaims, read_share, sign_share
from tests.recovery.test_links import refused, snapshot, take_instead
from tests.shop import ADDRESS, HOST, Shop, item

PRIVATE = ("anna", "Anna", "SAVE10", "/a/", "/r/", "restore")


async def shared(shop: Shop) -> str:
    """The path of a link to a cart with a coat and a hat."""
    lines = [
        item(
            "coat-m",
            900,
            1,
            parent_id="coat",
            url=f"https://{HOST}/coat",
            options=[{"name": "Colour", "value": "Moss"}],
        ),
        item("hat", 500, 2),
    ]
    customer = {"email": ADDRESS, "first_name": "Anna"}
    await shop.cart(
        items=lines, total=1400, coupon_codes=["SAVE10"], customer=customer, restore_url=f"https://{HOST}/restore"
    )
    await shop.tell(
        "product.updated",
        {
            "products": [
                {"product_id": "coat-m", "name": "Coat", "price": 1000, "currency": "EUR", "in_stock": True},
                {"product_id": "hat", "name": "Hat", "price": 300, "currency": "EUR", "in_stock": False},
            ]
        },
    )
    return await path_of(shop)


async def path_of(shop: Shop) -> str:
    link = await sharing.share_link(shop.runtime, await Cart.get(), shop.store, shop.now)
    return link.removeprefix(shop.runtime.settings.public_url)


async def test_it_shows_lines_with_today_s_prices_and_nobody(shop: Shop) -> None:
    path = await shared(shop)
    before = await snapshot()
    answer = await shop.client.get(path)
    assert answer.status_code == 200
    for told in ("Jacket coat-m", "Colour: Moss", "€10.00", "€3.00", f"https://{HOST}/coat", "No longer available"):
        assert told in answer.text, told
    for told in (*PRIVATE, "€9.00", "€14.00"):
        assert told not in answer.text, told
    assert answer.headers["x-robots-tag"] == "noindex, nofollow"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers
    assert await snapshot() == before


async def test_what_is_sold_by_the_square_metre_says_so(shop: Shop) -> None:
    path = await shared(shop)
    await Product.filter(product_id="hat").update(sold_by="m2")
    page = (await shop.client.get(path)).text.replace("\u00a0", " ")
    assert "Quantity: 2 m²" in page
    assert "€3.00 / m²" in page


async def test_it_shows_what_its_customer_took_instead(shop: Shop) -> None:
    path = await shared(shop)
    await take_instead(shop)
    page = (await shop.client.get(path)).text
    assert "Coat, L" in page
    assert "€12.00" in page


async def test_nothing_in_the_token_names_the_person(shop: Shop) -> None:
    path = await shared(shop)
    claims = read_share(shop.runtime.keys, path.removeprefix("/s/"), shop.now)
    email_hash = (await Cart.get()).email_hash
    assert email_hash is not None
    assert email_hash not in claims.mark
    assert claims.mark not in email_hash


@pytest.mark.parametrize("event", ["cart.deleted", "cart.merged"])
async def test_a_cart_that_is_gone_is_refused(shop: Shop, event: str) -> None:
    path = await shared(shop)
    await shop.tell(event, {"quote_id": "1", "into_quote_id": "2"})
    refused(await shop.client.get(path))


async def test_an_ordered_cart_is_refused(shop: Shop) -> None:
    path = await shared(shop)
    await shop.order()
    refused(await shop.client.get(path))


async def test_a_cart_that_became_somebody_else_s_is_refused(shop: Shop) -> None:
    path = await shared(shop)
    await Cart.all().update(email="eve@example.org", email_hash=shop.runtime.keys.email_hash("eve@example.org"))
    refused(await shop.client.get(path))


async def test_it_works_as_long_as_a_restore_link(shop: Shop) -> None:
    path = await shared(shop)
    shop.clock.advance(days=7)
    assert (await shop.client.get(path)).status_code == 200
    shop.clock.advance(minutes=1)
    refused(await shop.client.get(path))


async def test_it_opens_nothing_else(shop: Shop) -> None:
    token = (await shared(shop)).removeprefix("/s/")
    for path in (f"/r/{token}", f"/u/{token}", f"/a/{token}"):
        assert (await shop.client.get(path)).status_code == 404, path
    assert (await shop.client.post(f"/u/{token}")).status_code == 404
    for path in ("/api/assistant/session", "/api/assistant/again"):
        assert (await shop.client.post(path, json={"token": token})).status_code == 404, path
    assert await LinkToken.all().count() == 0


async def test_a_link_of_another_key_or_cart_is_refused(shop: Shop) -> None:
    await shared(shop)
    keys = shop.runtime.keys
    until = shop.now + timedelta(days=1)
    others = Keys(("another secret key of 32 characters",), keys.vault, keys.pepper, keys.unsubscribe_key)
    mark = sharing._mark(await Cart.get())
    cart = (await CartItem.first()).cart_id  # type: ignore[union-attr]
    for signing, claims in (
        (others, ShareClaims(cart, mark)),
        (keys, ShareClaims(cart + 1, mark)),
        (keys, ShareClaims(cart, "another mark")),
    ):
        refused(await shop.client.get(f"/s/{sign_share(signing, claims, shop.now, until)}"))
    assert (await shop.client.post(await path_of(shop))).status_code == 405
