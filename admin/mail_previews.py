"""A mail as its reader sees it, drawn from the words that are kept or that would be chosen; its links lead nowhere."""

import asyncio
from dataclasses import dataclass
from uuid import uuid4

from recovery.emails import Letter, Links, ready_made_words, render_parts
from recovery.models import Abandonment, Email, Store
from recovery.runtime import Runtime
from recovery.stores import registry

_DARK = "@media (prefers-color-scheme: dark)"


@dataclass(frozen=True)
class Preview:
    """Subject and both parts."""

    subject: str
    html: str
    text: str


async def of_email(runtime: Runtime, email: Email, *, dark: bool = False) -> Preview:
    """A mail of the queue or of the past."""
    abandonment = await Abandonment.get(id=email.abandonment_id).prefetch_related("cart__items")
    return await _draw(runtime, abandonment, email, dark=dark)


async def of_step(runtime: Runtime, abandonment: Abandonment, step: int, *, dark: bool = False) -> Preview:
    """What a message (from 0) would say if it went now without a coupon; ``cart`` and its lines are loaded."""
    now = runtime.now()
    unwritten = Email(
        id=uuid4(), connection_id=abandonment.connection_id, store_id=abandonment.store_id,
        abandonment_id=abandonment.id, step=step, email_hash=abandonment.email_hash or "", created_at=now,
        next_attempt_at=now,
    )  # fmt: skip
    return await _draw(runtime, abandonment, unwritten, dark=dark)


async def _draw(runtime: Runtime, abandonment: Abandonment, email: Email, *, dark: bool) -> Preview:
    store = await registry.in_force(await Store.get(id=email.store_id))
    cart = abandonment.cart
    items = sorted(cart.items, key=lambda item: item.position)
    words = email.words or ready_made_words(store, abandonment, cart, len(items), email.step)
    nowhere = f"{runtime.settings.public_url}/#preview"
    links = Links(nowhere, nowhere if store.settings.assistant_link else None, nowhere)
    # Drawing takes a few milliseconds of CPU.
    html, text = await asyncio.to_thread(render_parts, Letter(email, store, cart, items, words, links))
    return Preview(str(words["subject"]), html.replace(_DARK, "@media all") if dark else html, text)
