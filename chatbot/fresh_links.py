"""Ask again: a genuine assistant link whose time is over gets its holder a fresh one, mailed to the same address."""

from datetime import datetime, timedelta

from chatbot.conversations import GONE_CARTS, ConversationGone
from recovery import db, notices
from recovery.errors import CartbackError
from recovery.language import Texts
from recovery.links import OpenedLink, open_link
from recovery.models import Cart, LinkToken
from recovery.persons import lock_persons
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce, in_force
from recovery.text import mask_address, one_line
from recovery.tokens import new_jti

BETWEEN = timedelta(minutes=10)
MOST_A_DAY = 5
#: A link that works longer than this needs no other.
NEARLY_OVER = timedelta(hours=1)


class AgainRefused(CartbackError):
    """No fresh link is sent; ``code`` and ``status`` are the answer, ``after`` the seconds until it may be tried."""

    def __init__(self, code: str, status: int, after: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.status = status
        self.after = after


async def ask_again(runtime: Runtime, token: str, now: datetime) -> str:
    """Queue the mail with a fresh link; the address it goes to, masked.

    Raises:
        LinkRefused: the link is not genuine, was revoked, or its cart belongs to somebody else now.
        ConversationGone: the cart is gone, or nobody may be written to.
        AgainRefused: it was asked for too often, is not needed, or the store can't send now.
    """
    opened = await open_link(runtime, "assistant", token, now, expired_too=True)
    if opened.link.expires_at > now + NEARLY_OVER:
        raise AgainRefused("not_needed", 409)
    store = await in_force(opened.store)
    if store.row.mode == "paused" or store.settings.sender_address is None:
        raise AgainRefused("unavailable", 503, 3600)
    async with db.in_transaction():
        await lock_persons(opened.cart.connection_id, [opened.link.email_hash])
        cart = await Cart.filter(id=opened.cart.id).select_for_update().get()
        address = await _address(opened, cart)
        await _check_rate(cart, now)
        link = await _fresh_link(opened, store, now)
        await notices.write(
            opened.store.id, "fresh_link", f"fresh_link:{link.jti}", address, _words(store), now, link_jti=link.jti
        )
    await runtime.doorbell.ring("notice")
    return mask_address(address)


async def _address(opened: OpenedLink, cart: Cart) -> str:
    """The cart's own address, if its person may still be written to."""
    if cart.status == "ordered":
        raise AgainRefused("ordered", 410)
    never = await notices.can_never_be_written_to(cart.connection_id, opened.store.id, opened.link.email_hash)
    if never or cart.status in GONE_CARTS or cart.email is None or cart.email_hash != opened.link.email_hash:
        raise ConversationGone("Nothing can be sent.")
    return cart.email


async def _check_rate(cart: Cart, now: datetime) -> None:
    """One in ten minutes and five in a day for a cart, whichever link they are asked for with."""
    made = [
        link.created_at
        for link in await LinkToken.filter(
            cart_id=cart.id, renews__isnull=False, created_at__gt=now - timedelta(days=1)
        ).order_by("created_at")
    ]
    waits = [made[-1] + BETWEEN] if made else []
    if len(made) >= MOST_A_DAY:
        waits.append(made[-MOST_A_DAY] + timedelta(days=1))
    if waits and max(waits) > now:
        raise AgainRefused("rate", 429, int((max(waits) - now).total_seconds()) + 1)


async def _fresh_link(opened: OpenedLink, store: StoreInForce, now: datetime) -> LinkToken:
    return await LinkToken.create(
        jti=new_jti(),
        kind="assistant",
        cart_id=opened.cart.id,
        store_id=opened.link.store_id,
        email_id=opened.link.email_id,
        email_hash=opened.link.email_hash,
        # Always the link of the recovery mail, so that a chain of fresh links leads to one conversation.
        renews=opened.link.renews or opened.link.jti,
        created_at=now,
        expires_at=now + timedelta(minutes=store.settings.conversation_minutes),
    )


def _words(store: StoreInForce) -> dict[str, object]:
    settings = store.settings
    texts = Texts(store.row.language, formal=settings.form_of_address == "formal")
    shop = one_line(store.row.name)

    def say(key: str) -> str:
        return texts.get("notice", key, shop=shop)

    greeting = texts.get("greeting", settings.form_of_address)
    return {
        "subject": one_line(say("fresh_link_subject"), 150),
        "paragraphs": [greeting, say("fresh_link_intro")],
        "button": say("fresh_link_button"),
        "foot": [say("fresh_link_why"), *([one_line(settings.postal_address)] if settings.postal_address else [])],
    }
