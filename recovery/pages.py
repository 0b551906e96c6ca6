"""Pages people see from the e-mail: the saved cart, the unsubscribe page, the page for a link that does not work."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.responses import HTMLResponse

from recovery import brand
from recovery.language import Texts
from recovery.models import Cart, Connection, Product, Store
from recovery.money import format_money, format_quantity, unit_name
from recovery.store_settings import StoreSettings
from recovery.stores.reading import url_fault
from recovery.swaps import ShownLine, state_today
from recovery.text import untold_options

#: Of every page that a secret link opens: nothing kept, nobody told where one came from.
PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True)
class Line:
    """One line of a saved cart as it stands now: ``in``, ``changed`` (its price),
    ``taken`` (instead of another variant), ``gone`` or ``unknown``."""

    item: ShownLine
    options: list[dict[str, str]]
    state: str
    note: str
    price: str
    quantity: str


async def compare_with_shop(store: Store, cart: Cart, lines: Sequence[ShownLine], texts: Texts) -> list[Line]:
    """What each line of the cart to restore is worth today, by what the shop last said of its products."""
    ids = [line.product_id for line in lines]
    products = {p.product_id: p for p in await Product.filter(store_id=store.id, product_id__in=ids)}
    return [_line(store, cart, line, products.get(line.product_id), texts) for line in lines]


def _line(store: Store, cart: Cart, line: ShownLine, product: Product | None, texts: Texts) -> Line:
    price = money(store, cart, line.total, texts)
    quantity = format_quantity(line.quantity, store.language, line.sold_by)
    options = untold_options(line.name, line.options)
    state: str = state_today(cart, line.item, product)
    if product is None or state in {"unknown", "gone"}:
        return Line(line, options, state, texts.get("state", state), price, quantity)
    if line.was is not None:
        state = "taken"
    # The price as it is, whether it rose or fell: a drop is never announced, nor an old price struck through.
    note = texts.get("state", state, now=money(store, cart, product.price, texts))
    return Line(line, options, state, note, price, quantity)


async def price_today(store: Store, cart: Cart, lines: Sequence[ShownLine], texts: Texts) -> list[Line]:
    """What one piece or unit of each line costs today, for people who are not the cart's customer."""
    ids = [line.product_id for line in lines]
    products = {p.product_id: p for p in await Product.filter(store_id=store.id, product_id__in=ids)}
    told = [_line(store, cart, line, products.get(line.product_id), texts) for line in lines]
    return [replace(line, price=_unit_price(store, products.get(line.item.product_id))) for line in told]


def _unit_price(store: Store, product: Product | None) -> str:
    if product is None:
        return ""
    price = format_money(product.price, product.currency, store.language, product.currency_digits)
    return price if product.sold_by == "piece" else f"{price} / {unit_name(product.sold_by)}"


def money(store: Store, cart: Cart, amount: int | None, texts: Texts) -> str:
    """An amount of a cart as it is read, or that only the shop can tell it."""
    if amount is None:
        return texts.get("state", "shop_tells")
    return format_money(amount, cart.currency, store.language, cart.currency_digits)


def picture_sources(connection: Connection) -> list[str]:
    """Where pictures of a shop's products may come from, as a content security policy names it."""
    base = urlsplit(connection.base_url)
    # A shop on loopback (the demo, a developer's) has a port and no TLS.
    own = [f"http://{base.netloc}"] if base.hostname in _LOOPBACK else []
    return own + [f"https://{host}" for host in connection.hosts if host not in _LOOPBACK]


@dataclass(frozen=True)
class Look:
    """How a page shows whose it is: name, logo, the rules of its colour, and where its pictures may come from."""

    shop: str = ""
    logo: str | None = None
    style: Markup = Markup("")
    pictures: tuple[str, ...] = ()

    @property
    def style_source(self) -> str:
        """What a content security policy allows as style: our own sheets and exactly these rules."""
        if not self.style:
            return "'self'"
        digest = hashlib.sha256(self.style.encode()).digest()
        return f"'self' 'sha256-{base64.b64encode(digest).decode()}'"


_NOBODYS = Look()


def look_of(store: Store, settings: StoreSettings) -> Look:
    """The look of a store; a logo from a host that is not the connection's is left out."""
    logo = settings.logo_url
    if logo is not None and url_fault(logo, frozenset(store.connection.hosts)) is not None:
        logo = None
    # Of a colour that was checked, only digits reach the page.
    rules = Markup(brand.style(settings.brand_color)) if settings.brand_color else Markup("")  # noqa: S704
    return Look(store.name, logo, rules, tuple(picture_sources(store.connection)))


def page(name: str, texts: Texts, *, status: int = 200, look: Look = _NOBODYS, **context: object) -> HTMLResponse:
    """The page ``templates/<name>.html`` in the language of ``texts``; nothing runs on it or comes from elsewhere."""
    labels = texts.section("page", shop=look.shop)
    body = (
        _environment().get_template(f"{name}.html").render(labels=labels, language=texts.language, look=look, **context)
    )
    sources = " ".join(["'self'", *look.pictures])
    policy = (
        f"default-src 'none'; style-src {look.style_source}; img-src {sources}; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(body, status, headers=PRIVATE | {"Content-Security-Policy": policy})


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("recovery"), autoescape=select_autoescape(default=True), undefined=StrictUndefined
    )
