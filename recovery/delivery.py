"""Sends the queued recovery mails: what each says at this attempt, and every check again before it goes."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from recovery import campaigns, campaigns_facts, coupons, db, delivery_coupons, mail_events
from recovery.crash import crash_point
from recovery.eligibility import Failure, first_failure
from recovery.emails import Letter, coupon_words, make_links, ready_made_words, render
from recovery.emails_look import read_look
from recovery.emails_model import WRITING_SECONDS, write
from recovery.llm_batch import Window
from recovery.mailer import Refusal
from recovery.models import Abandonment, CartItem, Connection, Email, Store
from recovery.outbox import Claim, HeldBack, LostClaim, Parcel, Sweep
from recovery.persons import lock_persons
from recovery.runtime import Runtime
from recovery.stores.base import Connector, ShopError
from recovery.stores.connectors import open_connector
from recovery.stores.registry import StoreInForce, in_force
from recovery.sync_recheck import GOOD_FOR_SECONDS, ask_again
from recovery.text import mask_addresses

SHOP_PAUSE = timedelta(minutes=2)

log = structlog.get_logger()


async def sweep(runtime: Runtime, store: StoreInForce, limit: int | None = None) -> "EmailSweep":
    """Send what is due for one store, at most ``limit`` (the batch size)."""
    run = EmailSweep(runtime, store, limit or store.settings.batch_size)
    if store.row.mode == "live" and store.settings.enabled:
        await run.run()
    return run


class EmailSweep(Sweep[Email]):
    """One run over one store's recovery mails."""

    table = "email"
    may_go = "s.mode = 'live'"
    model = Email
    #: Asks the shop again before each mail; None for a shop that tells by itself.
    connector: Connector | None = None

    def __init__(self, runtime: Runtime, store: StoreInForce, left: int) -> None:
        super().__init__(runtime, store, left)
        self._asked_at: dict[UUID, float] = {}
        self._coupon_window = delivery_coupons.Window()
        #: What this run may wait for the store's model.
        self.window = Window(runtime, store, WRITING_SECONDS)

    async def run(self) -> None:
        """Send what is due, with the shop at hand."""
        connection = await Connection.get(id=self.store.row.connection_id)
        async with open_connector(connection, self.runtime.keys.vault, self.runtime.now) as self.connector:
            self._coupon_window.connector = self.connector
            await super().run()

    async def look_again(self, claim: Claim) -> str | None:
        """Ask the shop for the cart and its orders, so that the checks before DATA see what it knows now."""
        if self.connector is None:
            return None
        self._asked_at[claim.id] = asyncio.get_running_loop().time()
        email = await Email.get(id=claim.id).prefetch_related("abandonment__cart")
        try:
            await ask_again(self.runtime, self.connector, email.abandonment.cart)
        except ShopError as error:
            return await self._wait_for_shop(claim, str(error))
        return None

    async def _wait_for_shop(self, claim: Claim, cause: str) -> str:
        """Nobody knows whether the cart was bought meanwhile: the mail waits, and no attempt is spent."""
        log.warning("email.shop_away", email=str(claim.id), cause=mask_addresses(cause)[:200])
        again_at = self.runtime.now() + SHOP_PAUSE
        await self.leave(claim, "claimed", status="pending", next_attempt_at=again_at, claims=0)
        return "shop_away"

    async def compose(self, claim: Claim) -> Parcel[Email]:
        """The mail of this attempt; its words are chosen at the first one and never change."""
        letter = await self._letter(claim)
        return Parcel(letter.email, await asyncio.to_thread(render, letter))

    async def _letter(self, claim: Claim) -> Letter:
        now = self.runtime.now()
        email = await Email.get(id=claim.id).prefetch_related("abandonment__cart")
        cart = email.abandonment.cart
        items = await CartItem.filter(cart_id=cart.id).order_by("position")
        words, whose = email.words, dict[str, Any]()
        if words is None:
            coupon = await self._coupon(claim, email)
            await self.renew(claim)
            ready = ready_made_words(self.store, email.abandonment, cart, len(items), email.step)
            written = await write(self.store, self.window, email, cart, items, ready)
            words, whose = written.words | coupon_words(self.store, coupon), written.columns
            email.words = words
            email.composed_at = now
        renewed = await Email.filter(id=claim.id, fence=claim.fence, status="claimed").update(
            words=words, subject=words["subject"], composed_at=email.composed_at, **whose
        )
        if not renewed:
            raise LostClaim
        links = await make_links(self.runtime, self.store, email, cart, now)
        return Letter(email, self.store, cart, items, words, links, await read_look(self.store, items))

    async def _coupon(self, claim: Claim, email: Email) -> coupons.CouponState | None:
        """The coupon of a mail about to be written, known to the shop.

        Raises:
            HeldBack: a check failed, or the shop has not taken the coupon yet.
        """
        now = self.runtime.now()
        async with db.in_transaction():
            store, abandonment = await _lock(email)
            held, _ = await self._check(store, abandonment, claim, email, now)
            coupon = None
            if held is None:
                connection = await Connection.get(id=store.row.connection_id)
                coupon = await coupons.settle(store, connection, abandonment, email.step, now)
        if held is not None:
            raise HeldBack(held)
        crash_point(self.runtime.settings, "coupon.reserved")
        if coupon is None:
            return None
        try:
            return await delivery_coupons.issue(self.runtime, store, self._coupon_window, coupon)
        except delivery_coupons.CouponWaits as waits:
            await self.leave(claim, "claimed", status="pending", next_attempt_at=waits.until, claims=0)
            raise HeldBack("coupon_waits") from waits

    async def enter_sending(self, claim: Claim, row: Email) -> str | None:
        """Run every check again with person, cart and abandonment locked."""
        asked_at = self._asked_at.pop(claim.id, None)
        if asked_at is not None and asyncio.get_running_loop().time() - asked_at > GOOD_FOR_SECONDS:
            return await self._wait_for_shop(claim, "the relay took longer than what the shop said is good for")
        now = self.runtime.now()
        async with db.in_transaction():
            store, abandonment = await _lock(row)
            held, trail = await self._check(store, abandonment, claim, row, now)
            if held is None:
                held = await self._without_coupon(claim, row, now)
            if held is None:
                await self.pass_the_point(claim)
                await campaigns.record(store, abandonment, row.step, "sent", None, trail, now)
        return held

    async def _without_coupon(self, claim: Claim, row: Email, now: datetime) -> str | None:
        """Have the words chosen anew when their coupon is over: nobody has read them. What became of the mail then."""
        coupon = (row.words or {}).get("coupon")
        if not coupon or await coupons.still_works(coupon["code"], row.connection_id, now):
            return None
        await self.leave(claim, "claimed", status="pending", words=None, next_attempt_at=now, claims=0)
        return "coupon_over"

    async def _check(
        self, store: StoreInForce, abandonment: Abandonment, claim: Claim, email: Email, now: datetime
    ) -> tuple[str | None, list[dict[str, Any]]]:
        """Run every check with the rows locked; what became of the mail when one failed, and the checks."""
        facts = await campaigns_facts.load(store, abandonment, email.step, now, at_the_point=True)
        failure, trail = first_failure(facts, now)
        if failure is None and store.row.mode != "live":
            failure = Failure("store_paused", final=False)
        if failure is None:
            return None, trail
        held = await self._held(claim, abandonment, failure, now)
        outcome = "skipped" if failure.final else "waiting"
        await campaigns.record(store, abandonment, email.step, outcome, failure, trail, now)
        return held, trail

    async def _held(self, claim: Claim, abandonment: Abandonment, failure: Failure, now: datetime) -> str:
        """A check failed at the last moment: end the mail, or put it back when it may go later."""
        if not failure.final:
            # In the queue already, so looked at again soon whatever it waits for, and never before its hold ends.
            again_at = campaigns.look_again_at(failure, now, now)
            await self.leave(claim, "claimed", status="pending", next_attempt_at=again_at, claims=0)
            return "waiting"
        status = "suppressed" if failure.reason in {"suppressed", "no_consent"} else "cancelled"
        await self.leave(claim, "claimed", status=status, closed_at=now, closed_reason=failure.reason)
        if abandonment.status == "scored" and failure.ends_sequence:
            abandonment.status, abandonment.due_at = "skipped", None
            await abandonment.save(update_fields=["status", "due_at"])
        return status

    async def note_sent(self, claim: Claim, row: Email, code: int, text: str) -> None:
        """Write down the 250, and that this episode's customer has been written to."""
        async with db.in_transaction():
            abandonment = await campaigns.lock_episode(row.abandonment_id)
            await self.leave(
                claim, "sending", status="sent", sent_at=self.runtime.now(), smtp_code=code, smtp_text=text,
                copy_status="pending" if row.copy_to else None,
            )  # fmt: skip
            if abandonment is None:
                return
            if abandonment.status in {"scored", "skipped"}:
                abandonment.status = "contacted"
            if abandonment.due_at is not None:
                # The next message was waiting for this one, or was planned without knowing how late this one goes.
                store = await in_force(await Store.get(id=row.store_id))
                abandonment.due_at = await campaigns_facts.step_due_at(store, abandonment, row.step + 1)
            await abandonment.save(update_fields=["status", "due_at"])

    async def note_refused(self, claim: Claim, held: str, row: Email, refusal: Refusal, **changes: Any) -> None:
        """Write it down, and count a refusal for good as a bounce: nobody is written to where nobody lives."""
        now = self.runtime.now()
        hard = mail_events.is_no_such_address(refusal.text)
        async with db.in_transaction():
            await lock_persons(row.connection_id, [row.email_hash])
            await super().note_refused(claim, held, row, refusal, **changes)
            if refusal.permanent:
                told = mail_events.Report(
                    "bounced", "relay", now, row.email_hash, str(row.id), hard, f"{refusal.code} {refusal.text}"
                )
                await mail_events.take(row.connection_id, told, now)


async def _lock(email: Email) -> tuple[StoreInForce, Abandonment]:
    """Lock person, cart and abandonment; the store as it is now.

    Raises:
        LostClaim: the abandonment is gone.
    """
    abandonment = await campaigns.lock_episode(email.abandonment_id)
    if abandonment is None:
        raise LostClaim
    return await in_force(await Store.get(id=email.store_id)), abandonment
