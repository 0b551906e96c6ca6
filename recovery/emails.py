"""Writes the recovery message: its words once, its links and bytes for every attempt."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from typing import Any

from babel.dates import format_datetime as format_datetime_in_words
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from mjml import mjml2html

from recovery.coupons import CouponState
from recovery.emails_look import Look, branding, lines_context
from recovery.language import Texts
from recovery.models import Abandonment, Cart, CartItem, Email, LinkToken, Notice
from recovery.money import babel_locale, format_money
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce
from recovery.text import one_line
from recovery.tokens import CartClaims, UnsubscribeClaims, new_jti, sign_cart_link, sign_unsubscribe

LONGEST_SUBJECT = 150


@dataclass(frozen=True)
class Links:
    """The links of one mail; null where it has none."""

    restore: str | None = None
    assistant: str | None = None
    unsubscribe: str | None = None


@dataclass(frozen=True)
class Letter:
    """Everything a message is made from; loaded from the database before, rendered without it."""

    email: Email
    store: StoreInForce
    cart: Cart
    items: Sequence[CartItem]
    words: dict[str, Any]
    links: Links
    look: Look = Look()


def ready_made_words(
    store: StoreInForce, abandonment: Abandonment, cart: Cart, items: int, step: int = 0
) -> dict[str, Any]:
    """The ready-made text of one message (from 0) about a cart in the store's language.

    It names no reason, no score and no behaviour. A failed payment is what each message is about then.
    """
    settings = store.settings
    texts = Texts(store.row.language, formal=settings.form_of_address == "formal")
    reason = "technical_error" if cart.payment_failed else abandonment.reason_code or "other"
    if reason == "technical_error" and not cart.payment_failed:
        reason = "other"  # that text speaks of a failed payment, which only the shop can know of
    values = {
        "shop": one_line(store.row.name),
        "products": texts.count("products", items),
        "total": format_money(cart.total, cart.currency, store.row.language, cart.currency_digits),
    }
    agreed = settings.effective_consent_policy == "require"
    variant = "reminder" if cart.payment_failed else settings.variant_of(step)
    subject, intro = ("subject", reason), ("intro", reason)
    if variant != "reminder":
        subject, intro = (variant, "subject"), (variant, "intro")
    return {
        "subject": one_line(texts.get(*subject, **values), LONGEST_SUBJECT),
        "preheader": texts.get("preheader", reason, **values),
        "greeting": texts.get("greeting", settings.form_of_address, **values),
        "intro": texts.get(*intro, **values),
        "help": texts.get("help", "assistant" if settings.assistant_link else "reply", **values),
        "why": texts.get("labels", "why" if agreed else "why_customer", **values),
        "written_by": "ready_made",
    }


def coupon_words(store: StoreInForce, coupon: CouponState | None) -> dict[str, Any]:
    """What a message says of its coupon: code, percent, until when, and that nobody chose it by hand."""
    if coupon is None:
        return {}
    until = moment_in_words(coupon.expires_at, store)
    told = _texts(store).section("coupon", percent=coupon.percent, until=until)
    return {"coupon": told | {"code": coupon.code, "percent": coupon.percent}}


def moment_in_words(moment: datetime, store: StoreInForce) -> str:
    """A moment as people at the store say it: weekday, date, hour and their time zone."""
    locale = babel_locale(store.row.language)
    there = moment.astimezone(store.zone)
    said = format_datetime_in_words(there, "EEEE, d MMMM y, HH:mm", tzinfo=store.zone, locale=locale)
    return f"{said} {there.tzname()}"


async def make_links(runtime: Runtime, store: StoreInForce, email: Email, cart: Cart, now: datetime) -> Links:
    """The links of one attempt: fresh signatures and expiries over the rows of the first."""
    settings = store.settings
    restore = await _cart_link(runtime, "restore", email, cart, store, now, now + timedelta(days=settings.restore_days))
    assistant = None
    if settings.assistant_link:
        until = now + timedelta(minutes=settings.conversation_minutes)
        assistant = await _cart_link(runtime, "assistant", email, cart, store, now, until)
    return Links(restore, assistant, unsubscribe_link(runtime, store.row.id, email.email_hash))


def unsubscribe_link(runtime: Runtime, store_id: int, email_hash: str) -> str:
    """The link that stops mails of one store to one person, for ever valid."""
    token = sign_unsubscribe(runtime.keys, UnsubscribeClaims(store_id, email_hash))
    return f"{runtime.settings.public_url}/u/{token}"


async def _cart_link(
    runtime: Runtime, kind: Any, email: Email, cart: Cart, store: StoreInForce, now: datetime, until: datetime
) -> str:
    until = until.replace(microsecond=0)
    row = await LinkToken.get_or_none(email_id=email.id, kind=kind, renews=None)
    if row is None:
        row = await LinkToken.create(
            jti=new_jti(),
            kind=kind,
            cart_id=cart.id,
            store_id=store.row.id,
            email_id=email.id,
            email_hash=email.email_hash,
            created_at=now,
            expires_at=until,
        )
    else:
        await LinkToken.filter(jti=row.jti).update(expires_at=until)
    return cart_link(runtime, row, cart, until, now)


def cart_link(runtime: Runtime, link: LinkToken, cart: Cart, until: datetime, now: datetime) -> str:
    """The address that opens ``link`` until then."""
    claims = CartClaims(cart.quote_id, link.store_id, link.email_hash, int(until.timestamp()), link.jti)
    kind: Any = link.kind
    path = "r" if kind == "restore" else "a"
    return f"{runtime.settings.public_url}/{path}/{sign_cart_link(runtime.keys, kind, claims, now)}"


def message_id(email: Email | Notice, store: StoreInForce) -> str:
    """The same for every attempt, so that whoever gets a mail twice can tell."""
    domain = (store.settings.sender_address or "").rpartition("@")[2] or "cartback.invalid"
    return f"<{email.id}@{domain}>"


def render(letter: Letter) -> bytes:
    """The message as it goes out; takes a few milliseconds of CPU, so call it off the event loop."""
    settings = letter.store.settings
    message = _message(letter, letter.email.to_address or "", letter.words["subject"])
    message["Message-ID"] = message_id(letter.email, letter.store)
    if settings.reply_to:
        message["Reply-To"] = settings.reply_to
    if letter.links.unsubscribe:
        message["List-Unsubscribe"] = f"<{letter.links.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return bytes(message)


def render_copy(letter: Letter, admin_url: str) -> bytes:
    """The shop's own copy: marked, without the customer's links and without List-Unsubscribe."""
    texts = _texts(letter.store)
    notice = f"{texts.get('labels', 'copy')} {admin_url}"
    copy = replace(letter, words=letter.words | {"notice": notice}, links=Links())
    message = _message(copy, letter.email.copy_to or "", one_line(f"[Cartback] {letter.words['subject']}"))
    message["Message-ID"] = message_id(letter.email, letter.store).replace("<", "<copy.", 1)
    message["Auto-Submitted"] = "auto-generated"
    return bytes(message)


def mark_as_test(letter: Letter) -> Letter:
    """The same letter for somebody who tries how mails arrive: marked in its subject and its first line."""
    told = {"subject": one_line(f"[Cartback test] {letter.words['subject']}", LONGEST_SUBJECT)}
    return replace(letter, words=letter.words | told | {"notice": _texts(letter.store).get("labels", "test")})


def render_parts(letter: Letter) -> tuple[str, str]:
    """The HTML and the text part."""
    context = _context(letter)
    # Without fonts: the default ones would be fetched from elsewhere, which tells a third party who reads the mail.
    html = mjml2html(mail_templates().get_template("email.mjml").render(context), fonts={})
    return html, mail_templates().get_template("email.txt").render(context).strip() + "\n"


def _message(letter: Letter, to: str, subject: str) -> EmailMessage:
    html, text = render_parts(letter)
    return make_message(letter.store, to, subject, text, html, letter.email.composed_at or letter.email.created_at)


def make_message(store: StoreInForce, to: str, subject: str, text: str, html: str, at: datetime) -> EmailMessage:
    """A message of a store with both parts, still without an id."""
    settings = store.settings
    message = EmailMessage(policy=SMTP)
    sender = settings.sender_address or ""
    local, _, domain = sender.rpartition("@")
    name = one_line(settings.sender_name or store.row.name, 78)
    message["From"] = Address(display_name=name, username=local, domain=domain)
    to_local, _, to_domain = to.rpartition("@")
    message["To"] = Address(username=to_local, domain=to_domain)
    message["Subject"] = subject
    message["Date"] = format_datetime(at)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message


def _context(letter: Letter) -> dict[str, Any]:
    store = letter.store
    texts = _texts(store)
    told = {
        "language": texts.language,
        "shop": one_line(store.row.name),
        "words": {"notice": "", "coupon": None, "bullets": [], "closing": ""} | letter.words,
        "labels": texts.section("labels", shop=one_line(store.row.name)),
        "links": letter.links,
        "imprint": _imprint(store),
        "privacy_url": store.settings.privacy_url,
    }
    look = branding(store.settings, letter.look.hosts)
    return told | look | lines_context(store, letter.cart, letter.items, letter.look, texts)


def _imprint(store: StoreInForce) -> str:
    """Who writes and from where; an address that begins with the shop's name does not get it twice."""
    shop, address = one_line(store.row.name), one_line(store.settings.postal_address or "")
    return address if address.casefold().startswith(shop.casefold()) else f"{shop}, {address}"


def _texts(store: StoreInForce) -> Texts:
    return Texts(store.row.language, formal=store.settings.form_of_address == "formal")


@cache
def mail_templates() -> Environment:
    """The templates of mails."""
    return Environment(
        loader=PackageLoader("recovery"),
        # In the text part "&amp;" would stand as it is.
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
