"""The shop's own copies of what has gone out: a second message each, whose failure never touches the first."""

import asyncio

import structlog

from recovery.emails import Letter, Links, render_copy
from recovery.emails_look import read_look
from recovery.mailer import Mailer, NoAnswer, Refusal, RelayTrouble, profile_of
from recovery.models import Abandonment, Cart, Email
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce
from recovery.text import mask_addresses

log = structlog.get_logger()


async def send_copies(runtime: Runtime, store: StoreInForce) -> int:
    """Send the shop's copies of what has gone out, one try each; how many went. Their failure touches nothing."""
    sent = 0
    mailer = Mailer(profile_of(runtime.settings))
    try:
        for email in await Email.filter(store_id=store.row.id, copy_status="pending").limit(store.settings.batch_size):
            if await Email.filter(id=email.id, copy_status="pending").update(copy_status="sending"):
                outcome = await _send_copy(runtime, store, email, mailer)
                await Email.filter(id=email.id).update(copy_status=outcome)
                sent += outcome == "sent"
    finally:
        mailer.close()
    return sent


async def _send_copy(runtime: Runtime, store: StoreInForce, email: Email, mailer: Mailer) -> str:
    abandonment = await Abandonment.get(id=email.abandonment_id).prefetch_related("cart__items")
    cart: Cart = abandonment.cart
    items = list(cart.items)
    letter = Letter(email, store, cart, items, email.words or {}, Links(), await read_look(store, items))
    body = await asyncio.to_thread(render_copy, letter, f"{runtime.settings.public_url}/admin")
    try:
        await mailer.offer(store.settings.sender_address or "", email.copy_to or "")
        await mailer.data(body)
    except (RelayTrouble, Refusal, NoAnswer) as error:
        log.warning("email.copy_failed", email=str(email.id), error=mask_addresses(str(error))[:200])
        return "failed"
    return "sent"
