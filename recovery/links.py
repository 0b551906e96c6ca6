"""Links from the e-mail: what a token opens. A fetched link changes nothing but its counters."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from recovery.errors import LinkRefused
from recovery.models import Cart, LinkToken, Store
from recovery.runtime import Runtime
from recovery.tokens import read_cart_link

CartLinkKind = Literal["restore", "assistant"]


@dataclass(frozen=True)
class OpenedLink:
    """What a genuine link opens; ``cart.items`` are loaded. ``cart.status`` may be other than active."""

    link: LinkToken
    cart: Cart
    store: Store


async def open_link(runtime: Runtime, kind: CartLinkKind, token: str, now: datetime) -> OpenedLink:
    """Check a link's signature, times, row and ownership.

    Ownership: same connection, same cart, and the cart still belongs to the person it was sent to.

    Raises:
        LinkRefused: anything does not fit; people always see the same page whatever the cause.
    """
    claims = read_cart_link(runtime.keys, kind, token, now)
    link = await LinkToken.get_or_none(jti=claims.jti).prefetch_related("cart__items", "store__connection")
    if link is None or link.kind != kind:
        raise LinkRefused("no such link")
    if link.revoked_at is not None:
        raise LinkRefused("revoked")
    cart = link.cart
    if cart.quote_id != claims.quote_id or link.store_id != claims.store_id:
        raise LinkRefused("another cart")
    if cart.connection_id != link.store.connection_id:
        raise LinkRefused("another connection")
    if not claims.email_hash == link.email_hash == cart.email_hash:
        raise LinkRefused("another person")
    return OpenedLink(link, cart, link.store)


async def count_use(link: LinkToken, now: datetime) -> None:
    """Note that a link was fetched; a mail scanner's fetch counts like any other and means nothing more."""
    await LinkToken.filter(jti=link.jti).update(
        uses=link.uses + 1, first_seen_at=link.first_seen_at or now, last_seen_at=now
    )
