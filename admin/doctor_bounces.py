"""The doctor on what comes back: bounces and complaints of each connection, and the stop for too many."""

from datetime import datetime

from admin.findings import Finding, counted, good, note, wrong
from recovery import complaints
from recovery.models import Connection, EmailEvent, MailProvider


async def examine(now: datetime) -> list[Finding]:
    """Per connection that sent anything: complaints against what is allowed, bounces, providers to be confirmed."""
    found = []
    for connection in await Connection.all().order_by("id"):
        found += await _complaints(connection, now)
        found += await _bounces(connection, now)
        waiting = await MailProvider.filter(connection_id=connection.id, confirm_url__isnull=False)
        found += [
            wrong(f"Reports of {provider.kind}", "wait for you to confirm them", f"Open once: {provider.confirm_url}")
            for provider in waiting
        ]
    return found


async def _complaints(connection: Connection, now: datetime) -> list[Finding]:
    subject = f"Complaints of {connection.key}"
    stop = await complaints.stop_in_force(connection.id)
    if stop is not None:
        words = (
            f"{counted(stop.complaints, 'person', 'people')} reported {counted(stop.mails, 'mail', 'mails')} as spam "
            f"by {stop.at:%Y-%m-%d}, so no recovery mail goes"
        )
        fix = f"Find out why (consent? too many steps?), then `cartback suppressions resume {connection.key}`"
        return [wrong(subject, words, fix)]
    rate = await complaints.rate(connection.id, now)
    if not rate.mails:
        return []
    words = f"{counted(rate.complaints, 'person', 'people')} of {counted(rate.mails, 'mail', 'mails')} in 30 days"
    if rate.verdict == "good":
        return [good(subject, words)]
    return [note(subject, words, "Above 0.1 %: mailbox providers begin to distrust you. At 0.3 % sending stops.")]


async def _bounces(connection: Connection, now: datetime) -> list[Finding]:
    bounced = EmailEvent.filter(connection_id=connection.id, kind="bounced", at__gt=now - complaints.WINDOW)
    hard, soft = await bounced.filter(hard=True).count(), await bounced.filter(hard=False).count()
    if not hard and not soft:
        return []
    words = f"{hard} hard, whose addresses are suppressed, and {soft} soft in 30 days"
    return [note(f"Bounces of {connection.key}", words)]
