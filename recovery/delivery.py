"""Sends the queued mails: never one twice, never one lost without a word.

    pending ──claim──> claimed ──every check again, commit──> sending ──250──> sent
       ^                  │ lease over, refused for now           │ 4xx: pending · 5xx: failed
       └──────────────────┘                                       │ no answer, lease over: unknown

``sending`` is committed after the relay accepted the recipient and before DATA: the point of no return. From there a
crash or silence ends as ``unknown`` for a person to see, never in a second mail. Whoever lost a mail (``fence`` moved
on) changes nothing any more.
"""

import asyncio
import os
import random
import re
import secrets
import socket
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from recovery import campaigns, coupons, db, delivery_coupons
from recovery.crash import crash_point
from recovery.eligibility import Failure, first_failure
from recovery.emails import Letter, coupon_words, make_links, ready_made_words, render
from recovery.mailer import Mailer, NoAnswer, Refusal, RelayTrouble, profile_of
from recovery.models import Abandonment, CartItem, Connection, Email, Store
from recovery.persons import lock_persons, suppress
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce, in_force
from recovery.text import mask_addresses

CLAIM_SECONDS = 120
SENDING_SECONDS = 360
MOST_CLAIMS = 10
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
RELAY_PAUSE = timedelta(minutes=1)
RECORD_SECONDS = 60
# RFC 3463 about the recipient; 5.1.7 and 5.1.8 blame the sender, and would suppress every customer for our mistake.
_NO_SUCH_ADDRESS = re.compile(r"5\.1\.(?:1|2|3|6|10)\b")

log = structlog.get_logger()

_CLAIM = """
UPDATE email SET status = 'claimed', claimed_by = $1, fence = fence + 1, claims = claims + 1,
                 lease_until = now() + make_interval(secs => $2)
 WHERE id = (SELECT e.id FROM email e JOIN store s ON s.id = e.store_id
              WHERE e.status = 'pending' AND e.next_attempt_at <= $3 AND e.store_id = $4 AND s.mode = 'live'
              ORDER BY e.next_attempt_at LIMIT 1 FOR UPDATE OF e SKIP LOCKED)
RETURNING id, fence, claims
"""
_RELEASE_DEAD = """
UPDATE email SET status = 'pending', fence = fence + 1, claimed_by = NULL, lease_until = NULL
 WHERE status = 'claimed' AND lease_until < now()
"""
_GIVE_UP_SILENT = """
UPDATE email SET status = 'unknown', fence = fence + 1, lease_until = NULL, closed_at = $1,
                 closed_reason = 'no_answer'
 WHERE status = 'sending' AND lease_until < now()
"""
_ENTER_SENDING = """
UPDATE email SET status = 'sending', lease_until = now() + make_interval(secs => $1)
 WHERE id = $2 AND fence = $3 AND status = 'claimed' AND lease_until > now()
"""


class LostClaim(Exception):
    """Somebody else owns this mail now, or its reason is gone; there is nothing left to do."""


class HeldBack(Exception):
    """A mail does not go now; ``outcome`` is what became of it."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass
class Sweep:
    """One run over one store's queue: how many may still go, what became of them, whether the relay is usable."""

    runtime: Runtime
    store: StoreInForce
    left: int
    counts: dict[str, int] = field(default_factory=dict)
    relay_trouble: str | None = None
    coupon_window: delivery_coupons.Window = field(default_factory=delivery_coupons.Window)
    worker: str = field(default_factory=lambda: f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}")

    def count(self, outcome: str) -> None:
        """Note what became of one mail."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1


@dataclass(frozen=True)
class Claim:
    """The right to work on one mail until somebody with a higher fence takes it."""

    email_id: UUID
    fence: int


async def sweep(runtime: Runtime, store: StoreInForce, limit: int | None = None) -> Sweep:
    """Send what is due for one store, at most ``limit`` (the batch size), over up to ``send_slots`` connections."""
    run = Sweep(runtime, store, limit or store.settings.batch_size)
    if store.row.mode != "live" or not store.settings.enabled:
        return run
    due = await count_due(store, runtime.now())
    slots = min(runtime.settings.send_slots, due, run.left)
    # Every slot runs to its end whatever happens to another: none is left working behind the sweep's back.
    ends = await asyncio.gather(*(_slot(run) for _ in range(slots)), return_exceptions=True)
    for end in ends:
        if end is not None:
            raise end
    return run


async def count_due(store: StoreInForce, now: datetime) -> int:
    """How many mails of one store wait and may go now."""
    return await Email.filter(store_id=store.row.id, status="pending", next_attempt_at__lte=now).count()


async def recover_leases(now: datetime) -> tuple[int, int]:
    """Mails whose worker is gone: back into the queue before DATA, ``unknown`` after; how many of each."""
    returned, _ = await db.client().execute_query(_RELEASE_DEAD)
    silent, _ = await db.client().execute_query(_GIVE_UP_SILENT, [now])
    return returned, silent


async def _slot(run: Sweep) -> None:
    mailer = Mailer(profile_of(run.runtime.settings))
    try:
        while run.left > 0 and run.relay_trouble is None:
            run.left -= 1
            claim = await _claim(run)
            if claim is None:
                return
            try:
                run.count(await _deliver(run, mailer, claim))
            except LostClaim:
                mailer.close()  # it may be in the middle of this mail: the next MAIL would be refused
                run.count("lost")
            except HeldBack as held:
                mailer.close()
                run.count(held.outcome)
    finally:
        mailer.close()


async def _claim(run: Sweep) -> Claim | None:
    """Take one due mail, just before it is worked on; a mail that keeps killing its workers is given up."""
    while True:
        rows = await db.client().execute_query_dict(
            _CLAIM, [run.worker, CLAIM_SECONDS, run.runtime.now(), run.store.row.id]
        )
        if not rows:
            return None
        claim = Claim(rows[0]["id"], rows[0]["fence"])
        if rows[0]["claims"] <= MOST_CLAIMS:
            crash_point(run.runtime.settings, "mail.claimed")
            return claim
        await _leave(claim, "claimed", status="failed", closed_at=run.runtime.now(), closed_reason="crash_loop")
        run.count("failed")


async def _deliver(run: Sweep, mailer: Mailer, claim: Claim) -> str:
    """One attempt at one mail; what became of it."""
    letter = await _compose(run, claim)
    body = await asyncio.to_thread(render, letter)
    crash_point(run.runtime.settings, "mail.composed")
    try:
        await mailer.offer(run.store.settings.sender_address or "", letter.email.to_address or "")
    except RelayTrouble as trouble:
        return await _hand_back(run, claim, str(trouble))
    except Refusal as refusal:
        return await _refused(run, claim, letter.email, refusal, "claimed")
    await _enter_sending(run, claim, letter)
    crash_point(run.runtime.settings, "mail.sending")
    try:
        code, text = await mailer.data(body)
    except Refusal as refusal:
        return await _refused(run, claim, letter.email, refusal, "sending")
    except NoAnswer as silence:
        await _leave(
            claim, "sending", status="unknown", closed_at=run.runtime.now(), closed_reason="no_answer",
            smtp_text=str(silence)[:500],
        )  # fmt: skip
        log.warning("email.unknown", email=str(claim.email_id), cause=mask_addresses(str(silence))[:200])
        return "unknown"
    crash_point(run.runtime.settings, "mail.answered")
    await _record_sent(run, claim, letter, code, text)
    crash_point(run.runtime.settings, "mail.sent")
    return "sent"


async def _compose(run: Sweep, claim: Claim) -> Letter:
    """The letter of this attempt; its words are chosen at the first one and never change."""
    now = run.runtime.now()
    email = await Email.get(id=claim.email_id).prefetch_related("abandonment__cart")
    cart = email.abandonment.cart
    items = await CartItem.filter(cart_id=cart.id).order_by("position")
    words = email.words
    if words is None:
        coupon = await _coupon(run, claim, email)
        words = ready_made_words(run.store, email.abandonment, cart, len(items)) | coupon_words(run.store, coupon)
        email.composed_at = now
    renewed = await Email.filter(id=claim.email_id, fence=claim.fence, status="claimed").update(
        words=words, subject=words["subject"], composed_at=email.composed_at
    )
    if not renewed:
        raise LostClaim
    links = await make_links(run.runtime, run.store, email, cart, now)
    return Letter(email, run.store, cart, items, words, links)


async def _coupon(run: Sweep, claim: Claim, email: Email) -> coupons.CouponState | None:
    """The coupon of a mail about to be written, known to the shop.

    Raises:
        HeldBack: a check failed, or the shop has not taken the coupon yet.
    """
    runtime, now = run.runtime, run.runtime.now()
    async with db.in_transaction():
        store, abandonment = await _lock(email)
        held, _ = await _check(store, abandonment, claim, email, now)
        coupon = None
        if held is None:
            connection = await Connection.get(id=store.row.connection_id)
            coupon = await coupons.settle(store, connection, abandonment, email.step, now)
    if held is not None:
        raise HeldBack(held)
    crash_point(runtime.settings, "coupon.reserved")
    if coupon is None:
        return None
    try:
        return await delivery_coupons.issue(runtime, store, run.coupon_window, coupon)
    except delivery_coupons.CouponWaits as waits:
        await _leave(claim, "claimed", status="pending", next_attempt_at=waits.until, claims=0)
        raise HeldBack("coupon_waits") from waits


async def _enter_sending(run: Sweep, claim: Claim, letter: Letter) -> None:
    """Run every check again with person, cart and abandonment locked and, if all hold, pass the point of no return.

    Raises:
        HeldBack: a check failed, or the mail's coupon is over.
    """
    email, now = letter.email, run.runtime.now()
    crash_point(run.runtime.settings, "mail.before_sending")
    async with db.in_transaction():
        store, abandonment = await _lock(email)
        held, trail = await _check(store, abandonment, claim, email, now)
        coupon = letter.words.get("coupon")
        if held is None and coupon and not await coupons.still_works(coupon["code"], email.connection_id, now):
            # It waited for longer than its coupon works, and nobody has read these words: choose them anew.
            await _leave(claim, "claimed", status="pending", words=None, next_attempt_at=now, claims=0)
            held = "coupon_over"
        if held is None:
            entered, _ = await db.client().execute_query(_ENTER_SENDING, [SENDING_SECONDS, claim.email_id, claim.fence])
            if not entered:
                raise LostClaim
            await campaigns.record(store, abandonment, email.step, "sent", None, trail, now)
    if held is not None:
        raise HeldBack(held)


async def _lock(email: Email) -> tuple[StoreInForce, Abandonment]:
    """Lock person, cart and abandonment; the store as it is now."""
    abandonment = await campaigns.lock_episode(email.abandonment_id)
    if abandonment is None:
        raise LostClaim
    return await in_force(await Store.get(id=email.store_id)), abandonment


async def _check(
    store: StoreInForce, abandonment: Abandonment, claim: Claim, email: Email, now: datetime
) -> tuple[str | None, list[dict[str, Any]]]:
    """Run every check with the rows locked; what became of the mail when one failed, and the checks."""
    failure, trail = first_failure(await campaigns.load_facts(store, abandonment), now)
    if failure is None and store.row.mode != "live":
        failure = Failure("store_paused", final=False)
    if failure is None:
        return None, trail
    held = await _held(claim, abandonment, failure, now)
    outcome = "skipped" if failure.final else "waiting"
    await campaigns.record(store, abandonment, email.step, outcome, failure, trail, now)
    return held, trail


async def _held(claim: Claim, abandonment: Abandonment, failure: Failure, now: datetime) -> str:
    """A check failed at the last moment: end the mail, or put it back when it may go later."""
    if not failure.final:
        await _leave(claim, "claimed", status="pending", next_attempt_at=now + campaigns.LOOK_AGAIN_SOONEST, claims=0)
        return "waiting"
    status = "suppressed" if failure.reason in {"suppressed", "no_consent"} else "cancelled"
    await _leave(claim, "claimed", status=status, closed_at=now, closed_reason=failure.reason)
    if abandonment.status == "scored":
        abandonment.status, abandonment.due_at = "skipped", None
        await abandonment.save(update_fields=["status", "due_at"])
    return status


async def _hand_back(run: Sweep, claim: Claim, cause: str) -> str:
    """The relay is in trouble: no attempt is spent, and the whole sweep stops."""
    run.relay_trouble = mask_addresses(cause)
    log.warning("email.relay_trouble", cause=run.relay_trouble[:200])
    await _leave(
        claim, "claimed", status="pending", next_attempt_at=run.runtime.now() + RELAY_PAUSE, claims=0,
        smtp_text=cause[:500],
    )  # fmt: skip
    return "relay_trouble"


async def _refused(run: Sweep, claim: Claim, email: Email, refusal: Refusal, held: str) -> str:
    now = run.runtime.now()
    attempts = email.attempts + 1
    told: dict[str, Any] = {"attempts": attempts, "smtp_code": refusal.code, "smtp_text": refusal.text}
    if not refusal.permanent and attempts < run.store.settings.max_email_attempts:
        await _leave(claim, held, status="pending", next_attempt_at=now + _back_off(attempts), claims=0, **told)
        return "retry"
    reason = "refused" if refusal.permanent else "attempts_used_up"
    await _leave(claim, held, status="failed", closed_at=now, closed_reason=reason, **told)
    if refusal.permanent and _NO_SUCH_ADDRESS.match(refusal.text):
        async with db.in_transaction():
            await lock_persons(email.connection_id, [email.email_hash])
            await suppress(email.connection_id, email.email_hash, "bounce", now, detail=refusal.text)
    return "failed"


def _back_off(attempts: int) -> timedelta:
    return BACK_OFF[min(attempts, len(BACK_OFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311


async def _record_sent(run: Sweep, claim: Claim, letter: Letter, code: int, text: str) -> None:
    """Write down the 250, for as long as a minute through a database restart; after that it ends as ``unknown``."""
    give_up = asyncio.get_running_loop().time() + RECORD_SECONDS
    while True:
        try:
            async with db.in_transaction():
                abandonment = await campaigns.lock_episode(letter.email.abandonment_id)
                await _leave(
                    claim, "sending", status="sent", sent_at=run.runtime.now(), smtp_code=code, smtp_text=text,
                    copy_status="pending" if letter.email.copy_to else None,
                )  # fmt: skip
                if abandonment is not None and abandonment.status in {"scored", "skipped"}:
                    abandonment.status = "contacted"
                    await abandonment.save(update_fields=["status"])
        except db.UNAVAILABLE as error:
            if asyncio.get_running_loop().time() > give_up:
                raise
            log.warning("email.sent_not_recorded_yet", email=str(claim.email_id), error=db.describe(error))
            await asyncio.sleep(0.5)
        else:
            return


async def _leave(claim: Claim, held: str, **changes: Any) -> None:
    """Write the outcome of a claim, if it is still ours.

    Raises:
        LostClaim: it is not.
    """
    changed = await Email.filter(id=claim.email_id, fence=claim.fence, status=held).update(
        claimed_by=None, lease_until=None, **changes
    )
    if not changed:
        raise LostClaim
