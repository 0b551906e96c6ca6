"""The shared cart: what is in a cart for whoever has its link; no person, coupon, chat or way to restore it."""

import hashlib
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from recovery import pages
from recovery.errors import LinkRefused
from recovery.language import Texts
from recovery.links import refusal
from recovery.models import Cart, Store
from recovery.runtime import Runtime
from recovery.stores.registry import in_force
from recovery.swaps import OPEN_CARTS, read_shown
from recovery.tokens import ShareClaims, read_share, sign_share


def routes() -> list[BaseRoute]:
    """``/s/`` shows a shared cart."""
    return [Route("/s/{token}", shared, methods=["GET"])]


async def share_link(runtime: Runtime, cart: Cart, store: Store, now: datetime) -> str:
    """The address to hand on; it works as long as a restore link made now. Nothing is written."""
    days = (await in_force(store)).settings.restore_days
    token = sign_share(runtime.keys, ShareClaims(cart.id, _mark(cart)), now, now + timedelta(days=days))
    return f"{runtime.settings.public_url}/s/{token}"


async def shared(request: Request) -> Response:
    """The cart's lines with today's prices, for anybody."""
    runtime: Runtime = request.state.runtime
    try:
        claims = read_share(runtime.keys, request.path_params["token"], runtime.now())
        cart = await _open_cart(claims)
    except LinkRefused as refused:
        return refusal(request, refused)
    store = cart.store
    settings = (await in_force(store)).settings
    texts = Texts(store.language, formal=settings.form_of_address == "formal")
    lines = await pages.price_today(store, cart, (await read_shown(cart)).lines, texts)
    return pages.page(
        "shared_cart",
        texts,
        look=pages.look_of(store, settings),
        lines=lines,
        quantity_label=texts.get("labels", "quantity"),
        shop_url=store.connection.base_url,
    )


async def _open_cart(claims: ShareClaims) -> Cart:
    cart = await Cart.get_or_none(id=claims.cart).prefetch_related("store__connection")
    if cart is None or cart.status not in OPEN_CARTS:
        raise LinkRefused("cart gone")
    if _mark(cart) != claims.mark:
        raise LinkRefused("another person")
    return cart


def _mark(cart: Cart) -> str:
    """Changes when the cart becomes somebody else's; the person can't be told from it."""
    return hashlib.sha256(f"share {cart.id} {cart.email_hash}".encode()).hexdigest()[:16]
