"""The edge to the customer's mailbox: restore and unsubscribe links. A fetched link changes nothing but counters."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from tortoise.expressions import F

from recovery import coupons, db, pages
from recovery.carts import take_back_for_person
from recovery.coupons import CouponState
from recovery.emails import coupon_words
from recovery.errors import LinkRefused
from recovery.language import Texts
from recovery.models import Cart, LinkToken, LinkVisit, Store, Suppression
from recovery.persons import lift_suppression, lock_persons, suppress, suppression_in_force
from recovery.runtime import Runtime
from recovery.stores.connectors import ASKED, front_of
from recovery.stores.magento_stores import login_url
from recovery.stores.registry import in_force
from recovery.swaps import OPEN_CARTS, read_shown
from recovery.tokens import UnsubscribeClaims, read_cart_link, read_unsubscribe, sign_handoff

CartLinkKind = Literal["restore", "assistant"]

#: Fetches of one link whose times are kept; the counter goes on. Whoever fetches more often is no customer.
KEPT_VISITS = 100

log = structlog.get_logger()


@dataclass(frozen=True)
class OpenedLink:
    """What a genuine link opens; ``cart.items`` are loaded. ``cart.status`` may be other than active."""

    link: LinkToken
    cart: Cart
    store: Store


def routes() -> list[BaseRoute]:
    """``/r/`` restores a cart, ``/u/`` stops mails."""
    return [
        Route("/r/{token}", restore, methods=["GET"]),
        Route("/u/{token}", show_unsubscribe, methods=["GET"]),
        Route("/u/{token}", unsubscribe, methods=["POST"]),
    ]


async def open_link(
    runtime: Runtime, kind: CartLinkKind, token: str, now: datetime, *, expired_too: bool = False
) -> OpenedLink:
    """Check a link's signature, times, row and ownership; ``expired_too`` leaves the end of its time unchecked.

    Ownership: same connection, same cart, and the cart still belongs to the person it was sent to.

    Raises:
        LinkRefused: anything does not fit; people always see the same page whatever the cause.
    """
    claims = read_cart_link(runtime.keys, kind, token, now, expired_too=expired_too)
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
        uses=F("uses") + 1, first_seen_at=link.first_seen_at or now, last_seen_at=now
    )
    if link.uses < KEPT_VISITS:
        await LinkVisit.create(link_id=link.jti, at=now)


async def restore(request: Request) -> Response:
    """On to the shop with a short hand-off, or the saved cart itself when the shop has no restore address."""
    runtime: Runtime = request.state.runtime
    now = runtime.now()
    try:
        opened = await open_link(runtime, "restore", request.path_params["token"], now)
    except LinkRefused as refused:
        return refusal(request, refused)
    if request.method == "GET":
        await count_use(opened.link, now)
    if opened.cart.status in {"deleted", "merged"}:
        return refusal(request, LinkRefused("cart gone"))
    if opened.cart.status == "ordered":
        return await _saved_cart(opened, None, ordered=True)
    coupon = await coupons.of_cart(opened.cart.id, now, opened.link.email_hash)
    target = opened.cart.restore_url or await _scripted_page(opened)
    if target:
        return RedirectResponse(await _with_handoff(runtime, opened, coupon, target), 302, headers=pages.PRIVATE)
    return await _saved_cart(opened, coupon, ordered=False)


async def _scripted_page(opened: OpenedLink) -> str | None:
    """The shop's cart page where our script stands on it; None where it does not."""
    scripted = (await in_force(opened.store)).settings.storefront_script
    return opened.cart.cart_url if scripted and opened.store.connection.platform in ASKED else None


async def show_saved(runtime: Runtime, opened: OpenedLink) -> Response:
    """The saved cart itself, for whoever was handed to a shop that could not give it back."""
    if opened.cart.status not in OPEN_CARTS:
        return await _saved_cart(opened, None, ordered=opened.cart.status == "ordered")
    coupon = await coupons.of_cart(opened.cart.id, runtime.now(), opened.link.email_hash)
    return await _saved_cart(opened, coupon, ordered=False)


def refusal(request: Request, refused: LinkRefused) -> Response:
    """The one page for every link that does not work, in the language of the browser where we have it."""
    log.info("link.refused", cause=refused.cause)
    wanted = request.headers.get("accept-language", "en").partition(",")[0].partition(";")[0]
    return pages.page("refused", Texts(wanted), status=404)


async def show_unsubscribe(request: Request) -> Response:
    """Asks; scanners fetch links, so a GET never changes anything.

    Some scanners also submit the forms they find, so the way back is a page further on (``?again=1``).
    """
    try:
        claims, store = await _person(request)
    except LinkRefused as refused:
        return refusal(request, refused)
    scope = await _unsubscribed(claims, store)
    if scope is None:
        return await _unsubscribe_page(store, "ask")
    state = "again" if request.query_params.get("again") == "1" else "done"
    return await _unsubscribe_page(store, state, everywhere=scope == "connection")


async def unsubscribe(request: Request) -> Response:
    """Stop (or, with ``undo=1``, allow again) mails to this person, at once and without a sign-in.

    Of this store, or with ``everywhere=1`` of every store of its connection. Answers 200 to mail programs that post
    ``List-Unsubscribe=One-Click`` (RFC 8058) and to our own page alike.
    """
    runtime: Runtime = request.state.runtime
    now = runtime.now()
    try:
        claims, store = await _person(request)
    except LinkRefused as refused:
        return refusal(request, refused)
    asked = await _form(request)
    connection_id, person = store.connection_id, claims.email_hash
    async with db.in_transaction():
        await lock_persons(connection_id, [person])
        if asked.get("undo") == "1":
            everywhere = await _unsubscribed(claims, store) == "connection"
            for store_id in (store.id, None):
                await lift_suppression(connection_id, person, "unsubscribe", now, store_id=store_id)
            still = await suppression_in_force(connection_id, store.id, person)
            state = "undone" if still is None else "undone_but"
        else:
            everywhere = asked.get("everywhere") == "1"
            store_id = None if everywhere else store.id
            await suppress(connection_id, person, "unsubscribe", now, store_id=store_id)
            await take_back_for_person(connection_id, person, "unsubscribe", now, store_id)
            state = "stopped"
    return await _unsubscribe_page(store, state, everywhere=everywhere)


async def _form(request: Request) -> dict[str, str]:
    """What our own page posts; whatever else is posted, readable or not, wants no more mails of this store."""
    try:
        async with request.form(max_files=0, max_fields=10) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    except HTTPException:
        return {}


async def _unsubscribed(claims: UnsubscribeClaims, store: Store) -> Literal["store", "connection"] | None:
    """How far an unsubscription of this person reaches, the widest there is."""
    rows = await Suppression.filter(
        connection_id=store.connection_id, email_hash=claims.email_hash, cause="unsubscribe", lifted_at=None
    )
    found = {row.store_id for row in rows}
    if None in found:
        return "connection"
    return "store" if store.id in found else None


async def _person(request: Request) -> tuple[UnsubscribeClaims, Store]:
    runtime: Runtime = request.state.runtime
    claims = read_unsubscribe(runtime.keys, request.path_params["token"])
    store = await Store.get_or_none(id=claims.store_id).prefetch_related("connection")
    if store is None:
        raise LinkRefused("no such store")
    return claims, store


async def _unsubscribe_page(store: Store, state: str, *, everywhere: bool = False) -> Response:
    texts, look = await texts_of(store)
    several = await Store.filter(connection_id=store.connection_id).count() > 1
    who = texts.get("unsubscribe", "all_shops", group=store.connection.name) if everywhere else store.name
    return pages.page(
        "unsubscribe",
        texts,
        look=look,
        state=state,
        words=texts.section("unsubscribe", shop=store.name, group=store.connection.name, who=who),
        several=several,
        shop_url=store.connection.base_url,
    )


async def _saved_cart(opened: OpenedLink, coupon: CouponState | None, *, ordered: bool) -> Response:
    store, cart = opened.store, opened.cart
    texts, look = await texts_of(store)
    shown = await read_shown(cart)
    lines = [] if ordered else await pages.compare_with_shop(store, cart, shown.lines, texts)
    return pages.page(
        "saved_cart",
        texts,
        look=look,
        ordered=ordered,
        lines=lines,
        coupon=coupon_words(await in_force(store), coupon).get("coupon"),
        total=pages.money(store, cart, shown.total, texts),
        total_label=texts.get("labels", "total"),
        quantity_label=texts.get("labels", "quantity"),
        shop_url=cart.cart_url or store.connection.base_url,
        login_url=login_url(front) if cart.registered and not ordered and (front := front_of(store)) else None,
    )


async def texts_of(store: Store) -> tuple[Texts, pages.Look]:
    """A store's words in its form of address, and its look."""
    settings = (await in_force(store)).settings
    return Texts(store.language, formal=settings.form_of_address == "formal"), pages.look_of(store, settings)


async def _with_handoff(runtime: Runtime, opened: OpenedLink, coupon: CouponState | None, target: str) -> str:
    """The shop's restore address with a proof that lives five minutes by the real clock."""
    cart, store = opened.cart, opened.store
    secret = runtime.keys.vault.open(store.connection.hook_secret)
    more: dict[str, Any] = {"swap": (await read_shown(cart)).swaps, "coupon": coupon.code if coupon else None}
    token = sign_handoff(secret, cart.quote_id, store.code, opened.link.jti, int(time.time()), more)
    parts = urlsplit(target)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), ("cartback", token)])
    return urlunsplit(parts._replace(query=query))
