"""What the assistant's page shows before anything is asked, from rows: the shop, the cart, the way back, questions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from chatbot.knowledge import read_cart
from chatbot.starters import starters
from chatbot.texts import Texts
from chatbot.wire_cart import wire_lines, wire_money
from chatbot.wishes import support_address
from recovery.links import OpenedLink
from recovery.models import LinkToken
from recovery.pages import Look, look_of
from recovery.runtime import Runtime
from recovery.sharing import share_link
from recovery.stores.registry import in_force
from recovery.swaps import OPEN_CARTS, read_shown
from recovery.text import mask_address
from recovery.tokens import CartClaims, sign_cart_link


@dataclass(frozen=True)
class PageView:
    """Everything the page's template needs beside the texts; the lines are those of the event ``cart``."""

    look: Look
    ordered: bool
    lines: list[dict[str, Any]]
    total: str | None
    back: str
    starters: list[str]
    contact: str | None
    privacy: str | None
    person: bool
    person_address: str | None
    share: str | None


def make_templates() -> Environment:
    """The page's templates; a name that is missing is an error, not an empty place."""
    return Environment(
        loader=PackageLoader("chatbot"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


async def page_view(runtime: Runtime, opened: OpenedLink, texts: Texts, now: datetime) -> PageView:
    """The page of a genuine link; nothing is written."""
    cart, store = opened.cart, opened.store
    settings = (await in_force(store)).settings
    shown = await read_shown(cart)
    return PageView(
        look=look_of(store, settings),
        ordered=cart.status == "ordered",
        lines=wire_lines(cart, store, shown),
        total=wire_money(cart, store, shown.total),
        back=await way_back(runtime, opened, now),
        starters=starters(await read_cart(store, cart), texts, ordered=cart.status == "ordered"),
        contact=settings.contact_url,
        privacy=settings.privacy_url,
        person=support_address(settings) is not None,
        person_address=mask_address(cart.email) if cart.email else None,
        share=await share_link(runtime, cart, store, now) if cart.status in OPEN_CARTS else None,
    )


async def way_back(runtime: Runtime, opened: OpenedLink, now: datetime) -> str:
    """Where "Back to my cart" leads: the restore link of the same e-mail, else the cart in the shop, else the shop."""
    link = None
    if opened.link.email_id is not None:
        link = await LinkToken.filter(
            kind="restore",
            email_id=opened.link.email_id,
            cart_id=opened.cart.id,
            email_hash=opened.link.email_hash,
            revoked_at__isnull=True,
            expires_at__gt=now,
        ).first()
    if link is not None:
        expires_at = int(link.expires_at.timestamp())
        claims = CartClaims(opened.cart.quote_id, link.store_id, link.email_hash, expires_at, link.jti)
        return f"{runtime.settings.public_url}/r/{sign_cart_link(runtime.keys, 'restore', claims, now)}"
    return opened.cart.cart_url or opened.store.connection.base_url
