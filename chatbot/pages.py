"""What the assistant's page shows before anything is asked, from rows: the cart, the way back, first questions."""

from dataclasses import dataclass
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from chatbot.texts import Texts
from chatbot.wishes import untold_values
from recovery.links import OpenedLink
from recovery.models import CartItem, LinkToken, Policy, ProductLink
from recovery.money import format_money, format_quantity
from recovery.runtime import Runtime
from recovery.stores.registry import in_force
from recovery.swaps import ShownLine, read_shown
from recovery.tokens import CartClaims, sign_cart_link

MAX_STARTERS = 4
#: The kind of policy without which a first question would have no good answer.
_NEEDED_POLICY = {"size": "size_guide", "delivery": "shipping", "returns": "returns", "payment": "payment"}


@dataclass(frozen=True)
class LineView:
    """A line of the cart as it is read."""

    name: str
    quantity: str
    total: str
    options: str
    image: str | None


@dataclass(frozen=True)
class PageView:
    """Everything the page's template needs beside the texts."""

    shop: str
    ordered: bool
    lines: list[LineView]
    total: str
    back: str
    starters: list[str]
    contact: str | None
    privacy: str | None


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
    total = shown.total
    return PageView(
        shop=store.name,
        ordered=cart.status == "ordered",
        lines=[_line(line, cart.currency, cart.currency_digits, store.language) for line in shown.lines],
        total="" if total is None else format_money(total, cart.currency, store.language, cart.currency_digits),
        back=await way_back(runtime, opened, now),
        starters=[texts.starters[name] for name in await _starters(opened, lines)],
        contact=settings.contact_url,
        privacy=settings.privacy_url,
    )


def _line(line: ShownLine, currency: str, digits: int, language: str) -> LineView:
    return LineView(
        name=line.name,
        quantity=format_quantity(line.quantity, language),
        total="" if line.total is None else format_money(line.total, currency, language, digits),
        # A variant's name often says its options already.
        options=untold_values(line),
        image=line.image_url,
    )


async def _starters(opened: OpenedLink, lines: list[CartItem]) -> list[str]:
    kinds = {
        policy.kind for policy in await Policy.filter(store_id=opened.store.id).exclude(text="").only("id", "kind")
    }
    sources = {line.product_id for line in lines} | {line.parent_id for line in lines if line.parent_id}
    linked = await ProductLink.exists(store_id=opened.store.id, product_id__in=sources, kind="crosssell")
    usable = [name for name, kind in _NEEDED_POLICY.items() if kind in kinds]
    return [*usable[:3], *(["goes_with"] if linked else []), "about", *usable[3:]][:MAX_STARTERS]


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
