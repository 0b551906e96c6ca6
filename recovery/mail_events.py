"""What became of mails after they left, as providers, shops and the relay tell it: each report counts once."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from recovery import complaints, db
from recovery.carts import take_back_for_person
from recovery.models import Abandonment, Email, EmailEvent
from recovery.persons import lock_persons, suppress
from recovery.stores.snapshots import not_ahead
from recovery.text import mask_addresses, one_line

Kind = Literal["delivered", "bounced", "complained"]
Source = Literal["hook", "relay", "ses", "postmark", "mailgun"]

#: A report that names no mail is about the last one to its person, if it is not older than this.
RECENT = timedelta(days=30)
# RFC 3463 about the recipient; 5.1.7 and 5.1.8 blame the sender, and would suppress every customer for our mistake.
_NO_SUCH_ADDRESS = re.compile(r"5\.1\.(?:1|2|3|6|10)\b")


@dataclass(frozen=True)
class Report:
    """One thing told of a mail; ``person`` is the hash of its address, ``key`` the teller's own id of the report.

    ``message_id`` is our Message-ID where it is told, ``hard`` says of a bounce that the address does not work.
    """

    kind: Kind
    source: Source
    at: datetime
    person: str | None = None
    message_id: str | None = None
    hard: bool = False
    reason: str | None = None
    key: str | None = None


def is_no_such_address(reply: str) -> bool:
    """Whether an SMTP reply says that nobody lives there; a refusal for policy or a full mailbox does not."""
    return _NO_SUCH_ADDRESS.match(reply) is not None


async def take(connection_id: int, report: Report, now: datetime) -> tuple[bool, str | None]:
    """Note a report inside the caller's transaction and act on it at once; whether it is news, and whom it is about.

    A hard bounce and a complaint suppress the person for the connection. A mail nobody knew the end of gets it.
    """
    named = await _named(connection_id, report.message_id)
    person = report.person or (named.email_hash if named else None)
    await lock_persons(connection_id, [person, named.email_hash if named else None])
    mail = named or await _last_one_to(connection_id, person, now)
    if not await _note(connection_id, report, mail, person, now):
        return False, person
    if named is not None:
        await _resolve(named.id, report)
    if report.kind == "complained" or (report.kind == "bounced" and report.hard):
        cause: Literal["complaint", "bounce"] = "complaint" if report.kind == "complained" else "bounce"
        if person is not None:
            await suppress(connection_id, person, cause, not_ahead(report.at, now), detail=report.reason)
            await take_back_for_person(connection_id, person, cause, now)
    if report.kind == "complained":
        await complaints.look(connection_id, now)
    return True, person


async def resolve_unknown(now: datetime) -> int:
    """Give mails that ended as ``unknown`` the end that was told before; how many."""
    told = EmailEvent.filter(email__status="unknown", received_at__gt=now - RECENT).order_by("at", "id")
    resolved = set()
    for event in await told.prefetch_related("email"):
        mail = event.email
        if mail is not None and mail.id not in resolved:
            resolved.add(mail.id)
            kind: Kind = event.kind  # type: ignore[assignment]
            async with db.in_transaction():
                await lock_persons(mail.connection_id, [mail.email_hash])
                await _resolve(mail.id, Report(kind, "hook", event.at, hard=event.hard))
    return len(resolved)


async def _named(connection_id: int, message_id: str | None) -> Email | None:
    """The mail whose Message-ID this is; a provider may have dropped the brackets."""
    try:
        told = UUID((message_id or "").strip().strip("<>").partition("@")[0])
    except ValueError:
        return None
    return await Email.get_or_none(id=told, connection_id=connection_id)


async def _last_one_to(connection_id: int, person: str | None, now: datetime) -> Email | None:
    if person is None:
        return None
    sent = Email.filter(connection_id=connection_id, email_hash=person, sent_at__gt=now - RECENT)
    return await sent.order_by("-sent_at").first()


async def _note(connection_id: int, report: Report, mail: Email | None, person: str | None, now: datetime) -> bool:
    own = report.key or f"{report.message_id} {report.person} {report.at.isoformat()}"
    row = EmailEvent(
        connection_id=connection_id,
        email_id=mail.id if mail else None,
        email_hash=person,
        kind=report.kind,
        hard=report.hard,
        source=report.source,
        key=hashlib.sha256(f"{report.source} {report.kind} {report.hard} {own}".encode()).hexdigest(),
        reason=one_line(mask_addresses(report.reason), 255) if report.reason else None,
        at=not_ahead(report.at, now),
        received_at=now,
    )
    if await EmailEvent.exists(connection_id=connection_id, key=row.key):
        return False
    await EmailEvent.bulk_create([row], ignore_conflicts=True)
    return True


async def _resolve(mail: UUID, report: Report) -> None:
    """A mail that nobody knew the end of was taken by the relay after all: it is sent, or has come back."""
    row = await Email.filter(id=mail, status="unknown").select_for_update().first()
    if row is None:
        return
    if report.kind == "bounced" and report.hard:
        await Email.filter(id=mail).update(status="failed", closed_reason="bounced")
        return
    await Email.filter(id=mail).update(status="sent", sent_at=report.at, closed_at=None, closed_reason=None)
    await Abandonment.filter(id=row.abandonment_id, status__in=("scored", "skipped")).update(status="contacted")
