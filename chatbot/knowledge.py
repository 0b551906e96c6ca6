"""Reads from the rows what an answer may know: the conversation's cart, products around it, the store's policies."""

import uuid
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chatbot.context import Item, Knowledge, Line, Link, LinkKind, OwnCoupon
from chatbot.models import Conversation, Turn
from chatbot.needs import needs_of
from chatbot.shelf import Shelves
from recovery import coupons
from recovery.emails import moment_in_words
from recovery.goods_read import item_of, read_policies
from recovery.models import Cart, LinkToken, Product, ProductLink, Store
from recovery.stores.registry import StoreInForce, in_force
from recovery.swaps import ShownLine, read_shown

#: How many products a question may find, and how many earlier questions count.
FOUND, EARLIER = 8, 2
#: Of how many products found their kind is looked up for more of it.
KINDS_SEARCHED = 3
#: Of how many products found the needs are looked up, and how many products each need finds.
NEEDS_READ, NEEDED = 3, 2
KINDS: tuple[LinkKind, ...] = ("related", "upsell", "crosssell")


@dataclass(frozen=True)
class Reach:
    """What a question reaches beyond the cart."""

    found: tuple[Item, ...] = ()
    strange: frozenset[str] = frozenset()
    links: tuple[Link, ...] = ()
    alike: tuple[Item, ...] = ()


async def read_knowledge(
    conversation: uuid.UUID, question: str = "", shelves: Shelves | None = None, now: datetime | None = None
) -> Knowledge:
    """What the assistant may know in one conversation for one question; of its coupon only what ``now`` can tell."""
    row = await Conversation.get(id=conversation).select_related("store", "cart")
    known = await read_cart(row.store, row.cart)
    earlier, shown = await _earlier(conversation, question)
    of_cart = sorted({name for item in (*known.siblings, *known.items) for name in item.categories})
    last = [product_id for cards in shown for product_id in cards]
    needy = list(known.items)
    reach = await _found(row.store, shelves, question, earlier, last, of_cart, needy) if shelves else Reach()
    return replace(
        known,
        coupon=await _coupon(row, await in_force(row.store), now) if now is not None else None,
        found=reach.found,
        strange=reach.strange,
        earlier=earlier,
        shown=shown,
        found_links=reach.links,
        alike=reach.alike,
    )


async def read_cart(store: Store, cart: Cart) -> Knowledge:
    """What may be known of a cart before anything is asked: its lines, what the store says of them and beside them."""
    restored = await read_shown(cart)
    ids = [line.product_id for line in restored.lines]
    families = {line.item.parent_id or line.item.product_id for line in restored.lines} | set(ids)
    around = await Product.filter(store_id=store.id, product_id__in=families, active=True)
    variants = await Product.filter(store_id=store.id, parent_id__in=families, active=True)
    known = {product.product_id: product for product in [*variants, *around]}
    links = await _links(store, families | {product.parent_id for product in known.values() if product.parent_id})
    gone = set(
        await Product.filter(store_id=store.id, product_id__in=ids, active=False).values_list("product_id", flat=True)
    )
    settings = (await in_force(store)).settings
    return Knowledge(
        language=store.language,
        shop=store.name,
        currency=cart.currency,
        digits=cart.currency_digits,
        total=restored.total,
        lines=tuple(_line(line, known, gone) for line in restored.lines),
        coupon_codes=tuple(cart.coupon_codes),
        siblings=tuple(item_of(product, _title(product, known)) for product in variants),
        links=links,
        policies=await read_policies(store.id, store.language),
        contact_url=settings.contact_url,
        formal=settings.form_of_address == "formal",
    )


async def _coupon(row: Conversation, store: StoreInForce, now: datetime) -> OwnCoupon | None:
    """The coupon of the one whose link opened the conversation, never that of another whose cart this was."""
    link = await LinkToken.get_or_none(jti=row.link_jti).only("jti", "email_hash")
    found = await coupons.heard_of(row.cart_id, link.email_hash, now) if link is not None else None
    if found is None:
        return None
    coupon, outcome = found
    return OwnCoupon(coupon.code, coupon.percent, moment_in_words(coupon.expires_at, store), outcome)


async def _earlier(conversation: uuid.UUID, question: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The last questions and the products shown with each, newest first."""
    rows = await Turn.filter(conversation_id=conversation).order_by("-id").limit(EARLIER + 1)
    before = rows[1:] if rows and rows[0].question == question else rows[:EARLIER]
    shown = tuple(tuple(str(card["id"]) for card in row.cards) for row in before)
    return tuple(row.question for row in before), shown


async def _found(
    store: Store,
    shelves: Shelves,
    question: str,
    earlier: tuple[str, ...],
    shown: list[str],
    of_cart: list[str],
    needy: list[Item],
) -> Reach:
    """What the question's words find, each product with its variants after it; what the last one's found besides.

    Where it is asked what is needed, also what the lists of these products and of the cart's (``needy``) name.
    """
    shelf = await shelves.of(store)
    ids = [*shelf.search(question, FOUND), *shown, *(shelf.search(earlier[0], FOUND // 2) if earlier else [])]
    items = await read_items(store.id, ids)
    needs = needs_of(question, [*needy, *items[:NEEDS_READ]], shelves.texts_of(store))
    needed = [found for need in needs for found in shelf.search(need, NEEDED)]
    items = [*items, *await read_items(store.id, [one for one in needed if one not in ids])]
    families = {item.family for item in items}
    variants = await Product.filter(store_id=store.id, parent_id__in=families, active=True).order_by("id")
    parents = await read_items(store.id, sorted(families))
    titles = {item.id: item.name for item in parents}
    beside = [item_of(variant, titles.get(variant.parent_id or "", "")) for variant in variants]
    kinds = dict.fromkeys([*of_cart, *(name for item in items[:KINDS_SEARCHED] for name in item.categories)])
    more = [found for name in list(kinds)[: 2 * KINDS_SEARCHED] for found in shelf.search(name, FOUND)]
    return Reach(
        tuple({item.id: item for item in (*items, *parents, *beside)}.values()),
        frozenset(shelf.strange(question)),
        await _links(store, families),
        tuple(await read_items(store.id, more)),
    )


def _title(product: Product, known: dict[str, Product]) -> str:
    parent = known.get(product.parent_id or "")
    return parent.name if parent is not None else ""


async def read_items(store_id: int, ids: Sequence[str]) -> list[Item]:
    """The products and variants with these ids that the store sells now, in this order."""
    rows = await Product.filter(store_id=store_id, product_id__in=list(ids), active=True)
    found = {row.product_id: row for row in rows}
    parents = {row.parent_id for row in rows if row.parent_id}
    named = await Product.filter(store_id=store_id, product_id__in=parents).values_list("product_id", "name")
    titles = dict(named)
    return [
        item_of(row, titles.get(row.parent_id or "", ""))
        for row in (found.get(product_id) for product_id in dict.fromkeys(ids))
        if row is not None
    ]


async def _links(store: Store, sources: Iterable[str]) -> tuple[Link, ...]:
    rows = await ProductLink.filter(store_id=store.id, product_id__in=set(sources)).order_by("position", "id")
    wanted = {row.linked_id for row in rows}
    found = await Product.filter(store_id=store.id, product_id__in=wanted, active=True)
    items = {product.product_id: item_of(product) for product in found}
    return tuple(
        Link(row.product_id, kind, items[row.linked_id])
        for kind in KINDS
        for row in rows
        if row.kind == kind and row.linked_id in items
    )


def _line(line: ShownLine, known: dict[str, Product], gone: Container[object]) -> Line:
    withdrawn = line.product_id in gone
    product = None if withdrawn else known.get(line.product_id) or known.get(line.item.parent_id or "")
    options = tuple((option["name"], option["value"]) for option in line.options)
    item = item_of(product, _title(product, known)) if product is not None else None
    # Of a variant taken instead today's price is all there is.
    saved_price = line.item.unit_price if line.was is None else None
    return Line(line.name, line.quantity, line.total, line.product_id, item, options, saved_price, withdrawn)
