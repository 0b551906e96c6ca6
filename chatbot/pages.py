"""What the assistant's page shows before anything is asked, from rows: the shop, the cart, the way back, questions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from chatbot.starters import CartFacts, starters
from chatbot.texts import Texts
from chatbot.wire_cart import wire_lines, wire_money
from chatbot.wishes import support_address
from recovery.links import OpenedLink
from recovery.models import Cart, CartItem, LinkToken, Policy, Product, ProductLink, Store
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
    lines = sorted(cart.items, key=lambda line: line.position)
    shown = await read_shown(cart)
    return PageView(
        look=look_of(store, settings),
        ordered=cart.status == "ordered",
        lines=wire_lines(cart, store, shown),
        total=wire_money(cart, store, shown.total),
        back=await way_back(runtime, opened, now),
        starters=starters(await _facts(store, cart, lines), texts),
        contact=settings.contact_url,
        privacy=settings.privacy_url,
        person=support_address(settings) is not None,
        person_address=mask_address(cart.email) if cart.email else None,
        share=await share_link(runtime, cart, store, now) if cart.status in OPEN_CARTS else None,
    )


async def _products_of(store: Store, lines: list[CartItem]) -> dict[str, Product]:
    """What the store told of the cart's products and of those they are variants of."""
    wanted = {line.product_id for line in lines} | {line.parent_id for line in lines if line.parent_id}
    found = await Product.filter(store_id=store.id, product_id__in=wanted)
    return {product.product_id: product for product in found}


async def _facts(store: Store, cart: Cart, lines: list[CartItem]) -> CartFacts:
    products = await _products_of(store, lines)
    policies = await Policy.filter(store_id=store.id).exclude(text="").values_list("kind", flat=True)
    links = await ProductLink.filter(store_id=store.id, product_id__in=list(products)).only("id", "kind", "linked_id")
    beside = {link.linked_id for link in links if link.kind == "related"}
    dearest = max((line.unit_price or 0 for line in lines), default=0)
    return CartFacts(
        policies=frozenset(str(kind) for kind in policies),
        links=frozenset(link.kind for link in links),
        attributes=frozenset(_attribute_names(products.values())),
        sized=tuple(_called(line, products) for line in lines if line.parent_id and line.options),
        lines=len(lines),
        by_area=any(product.sold_by != "piece" for product in products.values()),
        cheaper=bool(beside)
        and await Product.exists(store_id=store.id, product_id__in=beside, active=True, price__lt=dearest),
        ordered=cart.status == "ordered",
    )


def _attribute_names(products: Any) -> list[str]:
    return [str(entry["name"]) for product in products for entry in product.attributes]


def _called(line: CartItem, products: dict[str, Product]) -> str:
    family = products.get(line.parent_id or "")
    return family.name if family is not None else line.name


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
