"""Complaints about mails: how many there are, and the stop of a connection that gets too many."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from recovery import db
from recovery.models import ComplaintHold, Email, EmailEvent

#: What large mailbox providers ask for: below 0.1 %, and never 0.3 %.
WARN, STOP = 0.001, 0.003
WINDOW = timedelta(days=30)
#: Who sent less is reckoned as if it were this many, so that one angry person stops nobody, and three do.
FEWEST_MAILS = 1000


@dataclass(frozen=True)
class Rate:
    """What was sent, and how many people complained."""

    mails: int
    complaints: int

    @property
    def share(self) -> float:
        """Complaints per mail."""
        return self.complaints / max(self.mails, FEWEST_MAILS)

    @property
    def verdict(self) -> Literal["good", "warn", "stop"]:
        """What it comes to."""
        if self.share >= STOP:
            return "stop"
        return "warn" if self.share >= WARN else "good"


async def rate(connection_id: int, now: datetime) -> Rate:
    """The mails and complaints of the last 30 days, or since a stop was last lifted."""
    since = now - WINDOW
    lifted = await ComplaintHold.filter(connection_id=connection_id, lifted_at__gt=since).order_by("-lifted_at").first()
    if lifted is not None and lifted.lifted_at is not None:
        since = lifted.lifted_at
    told = EmailEvent.filter(connection_id=connection_id, kind="complained", email_id__isnull=False)
    people = await told.filter(received_at__gt=since).distinct().values_list("email_id")
    return Rate(await Email.filter(connection_id=connection_id, sent_at__gt=since).count(), len(people))


async def stop_in_force(connection_id: int) -> ComplaintHold | None:
    """The stop that holds this connection's recovery mails, if any."""
    return await ComplaintHold.filter(connection_id=connection_id, lifted_at=None).first()


async def look(connection_id: int, now: datetime) -> None:
    """Stop the connection if its complaints are too many. Call in the transaction that noted one."""
    # Two complaints at the same moment must see each other.
    await db.lock(connection_id, "complaints")
    found = await rate(connection_id, now)
    if found.verdict == "stop" and await stop_in_force(connection_id) is None:
        await ComplaintHold.create(connection_id=connection_id, at=now, mails=found.mails, complaints=found.complaints)


async def lift(connection_id: int, now: datetime) -> bool:
    """Let mails go again, and count anew from here; whether there was a stop."""
    return bool(await ComplaintHold.filter(connection_id=connection_id, lifted_at=None).update(lifted_at=now))
