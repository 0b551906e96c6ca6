"""The way of a queued mail through the relay, whatever table it lies in: never twice, never lost without a word.

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
import secrets
import socket
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

import structlog

from recovery import db
from recovery.crash import crash_point
from recovery.mailer import Mailer, NoAnswer, Refusal, RelayTrouble, profile_of
from recovery.models import Email, Notice
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce
from recovery.text import mask_addresses

CLAIM_SECONDS = 120
SENDING_SECONDS = 360
MOST_CLAIMS = 10
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
RELAY_PAUSE = timedelta(minutes=1)
RECORD_SECONDS = 60

Row = TypeVar("Row", Email, Notice)

log = structlog.get_logger()

# What is put into these comes from the classes below and never from outside.
_CLAIM = """
UPDATE {table} SET status = 'claimed', claimed_by = $1, fence = fence + 1, claims = claims + 1,
                   lease_until = now() + make_interval(secs => $2)
 WHERE id = (SELECT m.id FROM {table} m JOIN store s ON s.id = m.store_id
              WHERE m.status = 'pending' AND m.next_attempt_at <= $3 AND m.store_id = $4 AND {may_go}
              ORDER BY m.next_attempt_at LIMIT 1 FOR UPDATE OF m SKIP LOCKED)
RETURNING id, fence, claims
"""
_RELEASE_DEAD = """
UPDATE {table} SET status = 'pending', fence = fence + 1, claimed_by = NULL, lease_until = NULL
 WHERE status = 'claimed' AND lease_until < now()
"""
_GIVE_UP_SILENT = """
UPDATE {table} SET status = 'unknown', fence = fence + 1, lease_until = NULL, closed_at = $1,
                   closed_reason = 'no_answer'
 WHERE status = 'sending' AND lease_until < now()
"""
_ENTER_SENDING = """
UPDATE {table} SET status = 'sending', lease_until = now() + make_interval(secs => $1)
 WHERE id = $2 AND fence = $3 AND status = 'claimed' AND lease_until > now()
"""


class LostClaim(Exception):
    """Somebody else owns this mail now, or its reason is gone; there is nothing left to do."""


class HeldBack(Exception):
    """A mail does not go now, and that is written down; ``outcome`` is what became of it."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome


@dataclass(frozen=True)
class Claim:
    """The right to work on one mail until somebody with a higher fence takes it."""

    id: UUID
    fence: int


@dataclass(frozen=True)
class Parcel(Generic[Row]):
    """One mail ready for the relay."""

    row: Row
    body: bytes


class Sweep(ABC, Generic[Row]):
    """One run over one store's queue: how many may still go, what became of them, whether the relay is usable."""

    table: ClassVar[str]
    #: Which mails of a queue may go, beside those that are due: SQL over the mail ``m`` and its store ``s``.
    may_go: ClassVar[str]
    model: ClassVar[Any]

    def __init__(self, runtime: Runtime, store: StoreInForce, left: int) -> None:
        self.runtime = runtime
        self.store = store
        self.left = left
        self.counts: dict[str, int] = {}
        self.relay_trouble: str | None = None
        self._worker = f"{socket.gethostname()[:40]}:{os.getpid()}:{secrets.token_hex(3)}"

    # What one kind of mail is.

    @abstractmethod
    async def compose(self, claim: Claim) -> Parcel[Row]:
        """The bytes of this attempt.

        Raises:
            HeldBack: it does not go now.
            LostClaim: somebody else owns it.
        """

    @abstractmethod
    async def enter_sending(self, claim: Claim, row: Row) -> str | None:
        """Run every check again and, if all hold, ``pass_the_point`` in the same transaction.

        Returns what became of the mail when a check failed, else None.
        """

    async def note_sent(self, claim: Claim, row: Row, code: int, text: str) -> None:
        """Write down the 250."""
        await self.leave(claim, "sending", status="sent", sent_at=self.runtime.now(), smtp_code=code, smtp_text=text)

    async def note_refused(self, claim: Claim, held: str, row: Row, refusal: Refusal, **changes: Any) -> None:
        """Write down that the relay refused a mail for good, or once too often."""
        await self.leave(claim, held, status="failed", **changes)

    async def look_again(self, claim: Claim) -> str | None:
        """Bring up to date what the mail is about; what became of it when that can't be done, else None."""
        return None

    # What all have in common.

    @classmethod
    async def recover_leases(cls, now: datetime) -> tuple[int, int]:
        """Mails whose worker is gone: back into the queue before DATA, ``unknown`` after; how many of each."""
        returned, _ = await db.client().execute_query(_RELEASE_DEAD.format(table=cls.table))
        silent, _ = await db.client().execute_query(_GIVE_UP_SILENT.format(table=cls.table), [now])
        return returned, silent

    async def run(self) -> None:
        """Send what is due over up to ``send_slots`` connections."""
        now = self.runtime.now()
        due = await self.model.filter(store_id=self.store.row.id, status="pending", next_attempt_at__lte=now).count()
        slots = min(self.runtime.settings.send_slots, due, self.left)
        # Every slot runs to its end whatever happens to another: none is left working behind the sweep's back.
        ends = await asyncio.gather(*(self._slot() for _ in range(slots)), return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end

    def count(self, outcome: str) -> None:
        """Note what became of one mail."""
        self.counts[outcome] = self.counts.get(outcome, 0) + 1

    async def pass_the_point(self, claim: Claim) -> None:
        """Enter ``sending``, in the caller's transaction.

        Raises:
            LostClaim: the mail is not ours any more.
        """
        statement = _ENTER_SENDING.format(table=self.table)
        entered, _ = await db.client().execute_query(statement, [SENDING_SECONDS, claim.id, claim.fence])
        if not entered:
            raise LostClaim

    async def leave(self, claim: Claim, held: str, **changes: Any) -> None:
        """Write the outcome of a claim, if it is still ours.

        Raises:
            LostClaim: it is not.
        """
        changed = await self.model.filter(id=claim.id, fence=claim.fence, status=held).update(
            claimed_by=None, lease_until=None, **changes
        )
        if not changed:
            raise LostClaim

    async def _slot(self) -> None:
        mailer = Mailer(profile_of(self.runtime.settings))
        try:
            while self.left > 0 and self.relay_trouble is None:
                self.left -= 1
                claim = await self._claim()
                if claim is None:
                    return
                try:
                    self.count(await self._deliver(mailer, claim))
                except LostClaim:
                    mailer.close()  # it may be in the middle of this mail: the next MAIL would be refused
                    self.count("lost")
        finally:
            mailer.close()

    async def _claim(self) -> Claim | None:
        """Take one due mail, just before it is worked on; a mail that keeps killing its workers is given up."""
        statement = _CLAIM.format(table=self.table, may_go=self.may_go)
        while True:
            values = [self._worker, CLAIM_SECONDS, self.runtime.now(), self.store.row.id]
            rows = await db.client().execute_query_dict(statement, values)
            if not rows:
                return None
            claim = Claim(rows[0]["id"], rows[0]["fence"])
            if rows[0]["claims"] <= MOST_CLAIMS:
                crash_point(self.runtime.settings, "mail.claimed")
                return claim
            await self.leave(
                claim, "claimed", status="failed", closed_at=self.runtime.now(), closed_reason="crash_loop"
            )
            self.count("failed")

    async def _deliver(self, mailer: Mailer, claim: Claim) -> str:
        """One attempt at one mail; what became of it."""
        stays = await self.look_again(claim)
        if stays is not None:
            return stays
        try:
            parcel = await self.compose(claim)
        except HeldBack as held_back:
            return held_back.outcome
        crash_point(self.runtime.settings, "mail.composed")
        try:
            await mailer.offer(self.store.settings.sender_address or "", parcel.row.to_address or "")
        except RelayTrouble as trouble:
            return await self._hand_back(claim, str(trouble))
        except Refusal as refusal:
            return await self._refused(claim, parcel.row, refusal, "claimed")
        crash_point(self.runtime.settings, "mail.before_sending")
        held = await self.enter_sending(claim, parcel.row)
        if held is not None:
            mailer.close()
            return held
        crash_point(self.runtime.settings, "mail.sending")
        try:
            code, text = await mailer.data(parcel.body)
        except Refusal as refusal:
            return await self._refused(claim, parcel.row, refusal, "sending")
        except NoAnswer as silence:
            return await self._silent(claim, str(silence))
        crash_point(self.runtime.settings, "mail.answered")
        await self._record_sent(claim, parcel.row, code, text)
        crash_point(self.runtime.settings, "mail.sent")
        return "sent"

    async def _silent(self, claim: Claim, cause: str) -> str:
        await self.leave(
            claim, "sending", status="unknown", closed_at=self.runtime.now(), closed_reason="no_answer",
            smtp_text=cause[:500],
        )  # fmt: skip
        log.warning("email.unknown", queue=self.table, email=str(claim.id), cause=mask_addresses(cause)[:200])
        return "unknown"

    async def _hand_back(self, claim: Claim, cause: str) -> str:
        """The relay is in trouble: no attempt is spent, and the whole sweep stops."""
        self.relay_trouble = mask_addresses(cause)
        log.warning("email.relay_trouble", queue=self.table, cause=self.relay_trouble[:200])
        await self.leave(
            claim, "claimed", status="pending", next_attempt_at=self.runtime.now() + RELAY_PAUSE, claims=0,
            smtp_text=cause[:500],
        )  # fmt: skip
        return "relay_trouble"

    async def _refused(self, claim: Claim, row: Row, refusal: Refusal, held: str) -> str:
        now = self.runtime.now()
        attempts = row.attempts + 1
        told: dict[str, Any] = {"attempts": attempts, "smtp_code": refusal.code, "smtp_text": refusal.text}
        if not refusal.permanent and attempts < self.store.settings.max_email_attempts:
            again_at = now + _back_off(attempts)
            await self.leave(claim, held, status="pending", next_attempt_at=again_at, claims=0, **told)
            return "retry"
        reason = "refused" if refusal.permanent else "attempts_used_up"
        await self.note_refused(claim, held, row, refusal, closed_at=now, closed_reason=reason, **told)
        return "failed"

    async def _record_sent(self, claim: Claim, row: Row, code: int, text: str) -> None:
        """Write down the 250, for as long as a minute through a database restart; after that it ends as ``unknown``."""
        give_up = asyncio.get_running_loop().time() + RECORD_SECONDS
        while True:
            try:
                await self.note_sent(claim, row, code, text)
            except db.UNAVAILABLE as error:
                if asyncio.get_running_loop().time() > give_up:
                    raise
                log.warning("email.sent_not_recorded_yet", email=str(claim.id), error=db.describe(error))
                await asyncio.sleep(0.5)
            else:
                return


def _back_off(attempts: int) -> timedelta:
    return BACK_OFF[min(attempts, len(BACK_OFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311
