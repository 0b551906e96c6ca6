"""Mails outside the campaign that somebody asked for just now: written with what caused them, sent by the worker."""

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

from recovery import brand, db
from recovery.emails import cart_link, mail_templates, make_message, message_id
from recovery.language import Texts
from recovery.models import LinkToken, Notice, Store
from recovery.outbox import Claim, LostClaim, Parcel, Sweep
from recovery.persons import lock_persons, suppression_in_force
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce

#: Who never gets a mail again, whatever is asked for; an unsubscription is about mails nobody asked for.
NEVER = frozenset({"complaint", "bounce", "manual"})
#: Carts that a fresh link still opens something of.
OPEN_CARTS = frozenset({"active", "inactive"})


async def write(
    store_id: int,
    kind: str,
    key: str,
    to_address: str,
    words: dict[str, Any],
    now: datetime,
    *,
    reply_to: str | None = None,
    link_jti: str | None = None,
) -> None:
    """Queue a notice in the caller's transaction, once for each ``key``; ring ``notice`` after the commit."""
    notice = Notice(
        id=uuid.uuid4(), store_id=store_id, kind=kind, key=key, to_address=to_address, reply_to=reply_to,
        words=words, link_jti=link_jti, created_at=now, next_attempt_at=now,
    )  # fmt: skip
    await Notice.bulk_create([notice], ignore_conflicts=True)


async def can_never_be_written_to(connection_id: int, store_id: int, email_hash: str) -> bool:
    """Whether this person complained, or the address is known not to work."""
    found = await suppression_in_force(connection_id, store_id, email_hash, NEVER)
    return found is not None


async def count_due(store: StoreInForce, now: datetime) -> int:
    """How many notices of one store wait and may go now."""
    return await Notice.filter(store_id=store.row.id, status="pending", next_attempt_at__lte=now).count()


async def sweep(runtime: Runtime, store: StoreInForce, limit: int | None = None) -> "NoticeSweep":
    """Send what is due for one store; a store that is paused or has no sender keeps it waiting."""
    run = NoticeSweep(runtime, store, limit or store.settings.batch_size)
    if store.row.mode != "paused" and store.settings.sender_address:
        await run.run()
    return run


class NoticeSweep(Sweep[Notice]):
    """One run over one store's notices."""

    table = "notice"
    may_go = "s.mode <> 'paused'"
    model = Notice

    async def compose(self, claim: Claim) -> Parcel[Notice]:
        """The notice with a link of this attempt, whose time counts from now."""
        row = await Notice.get(id=claim.id)
        if row.to_address is None or row.words is None:
            raise LostClaim
        words = dict(row.words)
        if "sealed_url" in words:
            words["url"] = self.runtime.keys.vault.open(words.pop("sealed_url"))
        if row.link_jti is not None:
            words["url"] = await self._fresh_link(row.link_jti)
        return Parcel(row, await asyncio.to_thread(render, self.store, row, words))

    async def _fresh_link(self, jti: str) -> str:
        now = self.runtime.now()
        link = await LinkToken.get(jti=jti).prefetch_related("cart")
        until = (now + timedelta(minutes=self.store.settings.conversation_minutes)).replace(microsecond=0)
        await LinkToken.filter(jti=jti).update(expires_at=until)
        return cart_link(self.runtime, link, link.cart, until, now)

    async def enter_sending(self, claim: Claim, row: Notice) -> str | None:
        """Look once more, with the person locked, whether a fresh link may still go to them."""
        async with db.in_transaction():
            reason = await self._reason_against(row.link_jti) if row.link_jti is not None else None
            if reason is not None:
                now = self.runtime.now()
                await self.leave(claim, "claimed", status="cancelled", closed_at=now, closed_reason=reason)
                return "cancelled"
            if (await Store.get(id=row.store_id)).mode == "paused":
                await self.leave(claim, "claimed", status="pending", claims=0)
                return "waiting"
            await self.pass_the_point(claim)
        return None

    async def _reason_against(self, jti: str) -> str | None:
        link = await LinkToken.get(jti=jti).prefetch_related("cart")
        cart = link.cart
        await lock_persons(cart.connection_id, [link.email_hash])
        await cart.refresh_from_db()
        if await can_never_be_written_to(cart.connection_id, link.store_id, link.email_hash):
            return "suppressed"
        if cart.email is None or cart.email_hash != link.email_hash:
            return "another_person"
        return None if cart.status in OPEN_CARTS else f"cart_{cart.status}"


def render(store: StoreInForce, notice: Notice, words: dict[str, Any]) -> bytes:
    """The notice as it goes out."""
    texts = Texts(store.row.language, formal=store.settings.form_of_address == "formal")
    nothing = {"url": "", "lines": [], "total": "", "talk": []}
    look = {"colors": brand.of(store.settings.brand_color), "shop": store.row.name}
    context = {"words": nothing | words, "language": texts.language} | look
    text, html = (mail_templates().get_template(f"notice.{part}").render(context) for part in ("txt", "html"))
    message = make_message(
        store, notice.to_address or "", words["subject"], text.strip() + "\n", html, notice.created_at
    )
    message["Message-ID"] = message_id(notice, store)
    if notice.reply_to:
        message["Reply-To"] = notice.reply_to
    message["Auto-Submitted"] = "auto-generated"
    return bytes(message)
