"""What a recovery message shows beside its words: logo, colours, and each line with what the shop says of it today."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from recovery import brand
from recovery.language import Texts
from recovery.models import Cart, CartItem, Connection, Product
from recovery.money import format_money, format_quantity, unit_name
from recovery.store_settings import StoreSettings
from recovery.stores.reading import url_fault
from recovery.stores.registry import StoreInForce
from recovery.swaps import state_today
from recovery.text import one_line, untold_options

# Gmail cuts a mail at 102 kB and hides its foot: with these, the worst cart stays below.
MOST_LINES = 8
MOST_OPTIONS = 5
LONGEST_NAME = 150
LONGEST_OPTION = 60


@dataclass(frozen=True)
class Look:
    """Where pictures of a mail may come from, and the shop's products of its lines by id, as they are now."""

    hosts: frozenset[str] = frozenset()
    products: Mapping[str, Product] = field(default_factory=dict)


async def read_look(store: StoreInForce, items: Sequence[CartItem]) -> Look:
    """The look of a mail about these lines."""
    connection = await Connection.get(id=store.row.connection_id)
    ids = [item.product_id for item in items]
    products = await Product.filter(store_id=store.row.id, product_id__in=ids)
    return Look(frozenset(connection.hosts), {product.product_id: product for product in products})


def branding(settings: StoreSettings, hosts: frozenset[str]) -> dict[str, Any]:
    """A store's logo and colours for a template; a logo from a host that is not the shop's is left out."""
    return {"logo": _picture(settings.logo_url, hosts), "colors": brand.of(settings.brand_color)}


def lines_context(
    store: StoreInForce, cart: Cart, items: Sequence[CartItem], look: Look, texts: Texts
) -> dict[str, Any]:
    """The lines of a mail, how many more there are, and a sentence where the shop would count differently today."""
    shown = [_line(store, cart, item, look, texts) for item in items[:MOST_LINES]]
    hidden = len(items) - len(shown)
    different = any(
        state_today(cart, item, look.products.get(item.product_id)) in {"gone", "changed"} for item in items
    )
    return {
        "lines": shown,
        "more": texts.get("more", "other", n=hidden) if hidden else "",
        "sums": _sums(cart, texts, _money(store, cart)),
        "total": _money(store, cart)(cart.total),
        "different": texts.get("labels", "different") if different else "",
    }


def _line(store: StoreInForce, cart: Cart, item: CartItem, look: Look, texts: Texts) -> dict[str, Any]:
    product = look.products.get(item.product_id)
    language = store.row.language
    return {
        "name": one_line(item.name, LONGEST_NAME),
        "options": [
            {name: one_line(text, LONGEST_OPTION) for name, text in option.items()}
            for option in untold_options(item.name, item.options)[:MOST_OPTIONS]
        ],
        "quantity": format_quantity(item.quantity, language, "piece" if product is None else product.sold_by),
        "price": _money(store, cart)(item.row_total),
        "image_url": _picture(item.image_url, look.hosts),
        "note": _note(language, cart, item, product, texts),
    }


def _note(language: str, cart: Cart, item: CartItem, product: Product | None, texts: Texts) -> str:
    """What is no longer as the cart says; a price is told as it is, whether it rose or fell."""
    state = state_today(cart, item, product)
    if product is None or state not in {"gone", "changed"}:
        return ""
    price = format_money(product.price, product.currency, language, product.currency_digits)
    unit = "" if product.sold_by == "piece" else f" / {unit_name(product.sold_by)}"
    return texts.get("state", state, now=price + unit)


def _picture(address: str | None, hosts: frozenset[str]) -> str | None:
    return address if address is not None and url_fault(address, hosts) is None else None


def _money(store: StoreInForce, cart: Cart) -> Callable[[int], str]:
    return lambda amount: format_money(amount, cart.currency, store.row.language, cart.currency_digits)


def _sums(cart: Cart, texts: Texts, money: Callable[[int], str]) -> list[dict[str, str]]:
    """What lies between the lines and the total, as far as the shop said."""
    rows = []
    if cart.discount:
        rows.append({"label": texts.get("labels", "discount"), "amount": money(-cart.discount)})
    if cart.shipping is not None:
        rows.append({"label": texts.get("labels", "shipping"), "amount": money(cart.shipping)})
    return rows
