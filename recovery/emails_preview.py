"""A message without its sending: as a preview that leaves no trace, or as a marked test to one address."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from recovery.coupons import CouponState
from recovery.emails import (
    Letter,
    Links,
    coupon_words,
    mark_as_test,
    ready_made_words,
    render,
    render_parts,
    unsubscribe_link,
)
from recovery.emails_look import read_look
from recovery.errors import CartbackError, NotFound
from recovery.mailer import Mailer, NoAnswer, Refusal, RelayTrouble, SmtpProfile, profile_of
from recovery.models import Abandonment, Cart, CartItem, Coupon, Email, Product
from recovery.money import QUANTITY_SCALE, digits_of
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce, all_in_force
from recovery.text import email_address, mask_addresses

#: Whoever finds a preview lying about learns nobody's address from it, and opens nothing with its links.
NOBODY = "customer@example.com"
MOST_EXAMPLE_LINES = 3
EXAMPLE_CODE = "EXAMPLE-0000-CODE"
#: The id of a message that has no row.
_NO_ROW = UUID(int=0)
_EXAMPLE_PRODUCTS = ("Example product", "Another example product")


class TestMailRefused(CartbackError):
    """A test mail did not go, or may not have gone; the message says why and what the relay said."""

    __test__ = False


@dataclass(frozen=True)
class Preview:
    """What would go out: each part, the whole message, and what is different from the real one."""

    store: str
    message: int
    subject: str
    html: str
    text: str
    eml: bytes
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """What a message is written about when nobody's is written."""

    abandonment: Abandonment
    cart: Cart
    items: list[CartItem]
    email: Email
    notes: tuple[str, ...] = ()


async def preview(
    runtime: Runtime, *, quote_id: str | None = None, store: str | None = None, message: int | None = None
) -> Preview:
    """The message about a cart, or about an example of the store's own products; nothing is written or sent.

    Args:
        runtime: its settings and time.
        quote_id: the cart; None: an example.
        store: the store, needed where several have such a cart or several are there.
        message: which of the sequence, from 1; None: the next one.

    Raises:
        NotFound: there is no such cart, store or message.
    """
    chosen, found = await _subject_of(runtime, quote_id, store, message)
    letter = await _letter(runtime, chosen, found)
    html, text = render_parts(letter)
    notes = (*found.notes, "The address is nobody's and the links lead nowhere: a preview opens nobody's cart.")
    return Preview(chosen.row.code, found.email.step + 1, letter.words["subject"], html, text, render(letter), notes)


async def send_test(runtime: Runtime, address: str, *, store: str | None = None) -> str:
    """Send one marked example to an address through the store's own relay; what the relay answered.

    Its link to stop mails is a real one, so that a signature over its headers can be checked.

    Raises:
        TestMailRefused: the address is none, the store has no sender, or the relay did not take it.
        NotFound: there is no such store.
    """
    to = email_address(address)
    if to is None:
        raise TestMailRefused(f"{address!r} is not an e-mail address.")
    chosen = await one_store(store)
    sender = chosen.settings.sender_address
    if not sender:
        raise TestMailRefused(
            "The store has no sender address. Set one with: "
            f"cartback settings set --store {chosen.row.code} sender_address=shop@your-domain"
        )
    now = runtime.now()
    found = await _example(chosen, now, 0)
    found.email.to_address = to
    letter = await _letter(runtime, chosen, found)
    stop = unsubscribe_link(runtime, chosen.row.id, runtime.keys.email_hash(to))
    letter = mark_as_test(replace(letter, links=replace(letter.links, unsubscribe=stop)))
    return await _offer(profile_of(runtime.settings), sender, to, render(letter))


async def one_store(name: str | None) -> StoreInForce:
    """The store of this name, or the only one there is.

    Raises:
        NotFound: none or several fit.
    """
    stores = await all_in_force(name)
    if len(stores) == 1:
        return stores[0]
    known = ", ".join(each.row.code for each in stores) or "none yet; make one with `cartback stores add`"
    raise NotFound(f"Say which store is meant with --store. Stores: {known}.")


async def _offer(profile: SmtpProfile, sender: str, to: str, body: bytes) -> str:
    mailer = Mailer(profile)
    relay = f"{profile.host}:{profile.port}"
    try:
        await mailer.offer(sender, to)
        code, text = await mailer.data(body)
    except RelayTrouble as trouble:
        raise TestMailRefused(f"The relay {relay} can't be used: {trouble}") from trouble
    except Refusal as refusal:
        raise TestMailRefused(f"The relay {relay} refused the mail: {mask_addresses(str(refusal))}") from refusal
    except NoAnswer as silence:
        raise TestMailRefused(
            f"The relay {relay} fell silent after the mail was handed over ({silence}): it may or may not arrive."
        ) from silence
    finally:
        mailer.close()
    return f"{code} {text}"


async def _subject_of(
    runtime: Runtime, quote_id: str | None, store: str | None, message: int | None
) -> tuple[StoreInForce, Example]:
    now = runtime.now()
    if quote_id is None:
        chosen = await one_store(store)
        return chosen, await _example(chosen, now, _step(chosen, message, 0))
    stores = {each.row.id: each for each in await all_in_force(store)}
    carts = await Cart.filter(quote_id=quote_id, store_id__in=list(stores))
    if len(carts) != 1:
        where = "Several stores have one; say which with --store" if carts else "No store has told of one"
        raise NotFound(f"No cart {quote_id!r} to show: {where}.")
    chosen = stores[carts[0].store_id]
    return chosen, await _of_cart(chosen, carts[0], now, message)


async def _of_cart(store: StoreInForce, cart: Cart, now: datetime, message: int | None) -> Example:
    abandonment = await Abandonment.filter(cart_id=cart.id).order_by("-id").first()
    written = [] if abandonment is None else await Email.filter(abandonment_id=abandonment.id).order_by("step")
    waiting = [email.step for email in written if email.status in {"pending", "claimed", "sending"}]
    step = _step(store, message, waiting[0] if waiting else len(written))
    kept = next((email for email in written if email.step == step), None)
    email = kept or _email(step, now)
    notes = () if kept is None or kept.words is None else ("The words are those that were written for this cart.",)
    items = await CartItem.filter(cart_id=cart.id).order_by("position")
    return Example(abandonment or Abandonment(), cart, items, email, notes)


def _step(store: StoreInForce, message: int | None, following: int) -> int:
    """Which message is meant, from 0; the next one, or the last where all are written."""
    count = len(store.settings.steps)
    if message is None:
        return min(following, count - 1)
    if not 1 <= message <= count:
        raise NotFound(f"There is no message {message}: the store's sequence has {count}.")
    return message - 1


async def _example(store: StoreInForce, now: datetime, step: int) -> Example:
    """A cart of the store's own products, or of invented ones where it has none yet."""
    currency, digits = store.row.currency, digits_of(store.row.currency)
    query = Product.filter(store_id=store.row.id, active=True, in_stock=True, currency=currency, price__gt=0)
    products = await query.order_by("-image_url", "id").limit(MOST_EXAMPLE_LINES)
    items = [
        CartItem(
            position=place, product_id=product.product_id, name=product.name, quantity=QUANTITY_SCALE,
            row_total=product.price, unit_price=product.price, options=[], image_url=product.image_url,
        )
        for place, product in enumerate(products)
    ] or [
        CartItem(
            position=place, product_id="", name=name, quantity=QUANTITY_SCALE, row_total=49 * 10**digits, options=[]
        )
        for place, name in enumerate(_EXAMPLE_PRODUCTS)
    ]  # fmt: skip
    cart = Cart(
        quote_id="example", currency=currency, currency_digits=products[0].currency_digits if products else digits,
        total=sum(item.row_total for item in items), payment_failed=False,
    )  # fmt: skip
    return Example(Abandonment(), cart, items, _email(step, now), ("The cart is an example.",))


def _email(step: int, now: datetime) -> Email:
    return Email(id=_NO_ROW, step=step, created_at=now, composed_at=now)


async def _letter(runtime: Runtime, store: StoreInForce, found: Example) -> Letter:
    email, now = found.email, runtime.now()
    email.to_address = NOBODY if email.id != _NO_ROW or email.to_address is None else email.to_address
    words = email.words
    if words is not None and words.get("coupon"):
        words = words | {"coupon": words["coupon"] | {"code": EXAMPLE_CODE}}
    if words is None:
        words = ready_made_words(store, found.abandonment, found.cart, len(found.items), email.step)
        words = words | coupon_words(store, await _coupon(store, found, now))
    address = runtime.settings.public_url
    assistant = f"{address}/a/preview" if store.settings.assistant_link else None
    links = Links(f"{address}/r/preview", assistant, f"{address}/u/preview")
    return Letter(email, store, found.cart, found.items, words, links, await read_look(store, found.items))


async def _coupon(store: StoreInForce, found: Example, now: datetime) -> CouponState | None:
    """The cart's own coupon; of an example one as large as any may be, where its message may carry one."""
    settings = store.settings
    if found.abandonment.id is not None:
        kept = await Coupon.filter(abandonment_id=found.abandonment.id, status__in=["reserved", "issued"]).first()
        return None if kept is None else CouponState(EXAMPLE_CODE, kept.percent, kept.expires_at)
    may = settings.dynamic_coupons and settings.may_carry_coupon(found.email.step)
    if not may or not settings.coupon_max_percent:
        return None
    until = now + timedelta(hours=settings.coupon_expiry_hours)
    return CouponState(EXAMPLE_CODE, settings.coupon_max_percent, until)
