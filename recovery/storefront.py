"""The shop's side of a restore where our script plays it on the shop's own pages: what it is told, what it tells.

The script holds a hand-off (``tokens.sign_handoff``) and nothing else. It is told what was in the cart, never whose it
was; everything it tells is a hint that a row of ours must back.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import structlog

from recovery import attribution, carts, coupons, db, orders
from recovery.errors import CartbackError, LinkRefused
from recovery.language import Texts
from recovery.links import OpenedLink, texts_of
from recovery.models import Connection, LinkToken, Store
from recovery.money import QUANTITY_SCALE
from recovery.runtime import Runtime
from recovery.stores.base import ShopError
from recovery.stores.connectors import front_of, open_connector
from recovery.stores.magento_stores import login_url
from recovery.stores.reading import url_fault
from recovery.stores.registry import hook_secrets, in_force
from recovery.swaps import OPEN_CARTS, ShownLine, read_shown
from recovery.tokens import read_handoff

#: The shop is asked while a customer waits.
SHOP_SECONDS = 8.0
#: The script tells of a restore when its customer first touches the page, perhaps long after the hand-off's end.
TELL_GRACE_SECONDS = 3600
_USUAL_PORTS = {"http": 80, "https": 443}

log = structlog.get_logger()

Fields = Mapping[str, dict[str, str] | None]


async def origins_of(connection: Connection) -> set[str]:
    """The origins of the shop's own pages, as a browser writes them."""
    fronts = [front_of(store) for store in await Store.filter(connection_id=connection.id)]
    urls = [connection.base_url, *(front.link_url for front in fronts if front is not None)]
    return {_origin(url) for url in urls if url} | {f"https://{host}" for host in connection.hosts}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    port = "" if parts.port in {None, _USUAL_PORTS.get(parts.scheme)} else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname}{port}"


async def open_handoff(runtime: Runtime, connection: Connection, token: str, *, grace: int = 0) -> OpenedLink:
    """The cart of a genuine hand-off of this connection, whose link still opens it.

    Raises:
        LinkRefused: anything does not fit.
    """
    secrets = hook_secrets(runtime.keys, connection, runtime.now())
    claims = read_handoff(secrets, token, int(time.time()), grace=grace)
    link = await LinkToken.get_or_none(jti=claims.ref, kind="restore").prefetch_related(
        "cart__items", "store__connection"
    )
    if link is None or link.revoked_at is not None:
        raise LinkRefused("no such link")
    cart = link.cart
    if (cart.connection_id, cart.quote_id, link.store.code) != (connection.id, claims.quote_id, claims.store):
        raise LinkRefused("another cart")
    if link.email_hash != cart.email_hash:
        raise LinkRefused("another person")
    return OpenedLink(link, cart, link.store)


async def saved_cart(runtime: Runtime, opened: OpenedLink) -> dict[str, Any]:
    """What the script needs to put the cart back, and the words it says about that.

    Raises:
        LinkRefused: there is nothing to put back any more.
    """
    store, cart = opened.store, opened.cart
    if cart.status not in OPEN_CARTS:
        raise LinkRefused(f"cart {cart.status}")
    shown = await read_shown(cart)
    # A customer's own cart comes back with the customer: nothing is to be put in.
    forms = {} if cart.registered else await _forms(runtime, store.connection, cart.quote_id)
    coupon = await coupons.of_cart(cart.id, runtime.now(), opened.link.email_hash)
    front = front_of(store)
    words, _ = await texts_of(store)
    return {
        "registered": cart.registered,
        "login": login_url(front) if cart.registered and front else None,
        "coupon": coupon.code if coupon else None,
        "lines": [_line(line, forms, store.connection) for line in shown.lines],
        "language": words.language,
        "texts": _texts(words, store, coupon.code if coupon else ""),
    }


async def restored(runtime: Runtime, opened: OpenedLink) -> None:
    """The cart is back in its customer's session; as a shop tells it by ``cart.restored``."""
    store, cart, now = opened.store, opened.cart, runtime.now()
    async with db.in_transaction():
        await db.lock(cart.connection_id, f"quote {cart.quote_id}")
        await carts.restored(store, cart.quote_id, now)
        await attribution.note_restored(cart.connection_id, opened.link.jti, now)
        await orders.attribute_again(store, cart.quote_id, (await in_force(store)).settings)


async def _forms(runtime: Runtime, connection: Connection, quote_id: str) -> Fields:
    """What the shop's form is told of each line; nothing while the shop can't say."""
    try:
        async with asyncio.timeout(SHOP_SECONDS), open_connector(connection, runtime.keys.vault, runtime.now) as shop:
            return await shop.forms(quote_id) if shop is not None else {}
    except (ShopError, TimeoutError) as error:
        cause = str(error) if isinstance(error, CartbackError) else "too slow"
        log.warning("storefront.forms_unknown", connection=connection.key, cause=cause[:200])
        return {}


def _line(line: ShownLine, forms: Fields, connection: Connection) -> dict[str, Any]:
    """A line; ``add`` is the shop's own form, null where the customer must choose on the product's page."""
    item = line.item
    pieces, rest = divmod(item.quantity, QUANTITY_SCALE)
    chosen = forms.get(item.line_id or "")
    # A swapped variant, a part of a unit, or a shop that could not say: only the product page can tell.
    known = line.was is None and chosen is not None and not rest and not line.product_id.startswith("sku:")
    url = line.url if line.url and url_fault(line.url, frozenset(connection.hosts)) is None else None
    return {
        "name": line.name,
        "sku": item.sku or "",
        "quantity": pieces if not rest else item.quantity / QUANTITY_SCALE,
        "add": {"product": item.parent_id or item.product_id, **(chosen or {})} if known else None,
        "url": url,
    }


def _texts(words: Texts, store: Store, code: str) -> dict[str, str]:
    return words.section("storefront", shop=store.name, code=code)
