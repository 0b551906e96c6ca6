"""People as the core knows them: the lock that serialises everything about one, their consent, their suppression.

Rows about one person are always locked in the order person, quote, cart, abandonment; so no two transactions wait
for each other in a circle.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Literal

from recovery import db, webhooks
from recovery.models import ConsentRecord, Person, Store, Suppression
from recovery.stores.snapshots import Consent
from recovery.text import mask_addresses

Cause = Literal["unsubscribe", "complaint", "bounce", "objection", "manual", "erased"]

CAUSES: tuple[Cause, ...] = ("unsubscribe", "complaint", "bounce", "objection", "manual", "erased")
#: What only the person can take back, by confirming a message to the address itself.
LASTING: tuple[Cause, ...] = ("unsubscribe", "complaint", "bounce", "manual", "erased")
#: What the merchant may take back: a wish of his own, an address that works again.
MERCHANTS: tuple[Cause, ...] = ("manual", "bounce")
# In the order of their bytes, as Python sorts: a database may sort by a language's rules.
_LOCK = """
SELECT id FROM person WHERE connection_id = $1 AND email_hash = ANY($2) ORDER BY email_hash COLLATE "C" FOR UPDATE
"""


async def lock_persons(connection_id: int, email_hashes: Iterable[str | None]) -> None:
    """Lock these people until the transaction ends, making their rows first; always in the same order."""
    hashes = sorted({h for h in email_hashes if h})
    if hashes:
        rows = [Person(connection_id=connection_id, email_hash=email_hash) for email_hash in hashes]
        await Person.bulk_create(rows, ignore_conflicts=True)
        await db.client().execute_query(_LOCK, [connection_id, hashes])


async def record_consent(connection_id: int, email_hash: str, consent: Consent) -> bool:
    """Keep a piece of evidence; whether it suppresses the person now. Call with the person locked.

    A refusal that is the latest word suppresses at once. A later agreement lifts such an objection, but a suppression
    by complaint, bounce or our own unsubscribe link only with source ``double_opt_in``.
    """
    await ConsentRecord.bulk_create(
        [
            ConsentRecord(
                connection_id=connection_id,
                email_hash=email_hash,
                marketing=consent.marketing,
                basis=consent.basis,
                source=consent.source,
                text_version=consent.text_version,
                at=consent.at,
            )
        ],
        ignore_conflicts=True,
    )
    latest = await latest_consent(connection_id, email_hash)
    if latest is None or latest.at != consent.at or latest.marketing != consent.marketing:
        return False
    if not consent.marketing:
        await suppress(connection_id, email_hash, "objection", consent.at, detail=consent.source)
        return True
    causes: tuple[Cause, ...] = ("objection", *LASTING) if consent.source == "double_opt_in" else ("objection",)
    await Suppression.filter(
        connection_id=connection_id, email_hash=email_hash, cause__in=causes, lifted_at=None, at__lt=consent.at
    ).update(lifted_at=consent.at)
    return False


async def latest_consent(connection_id: int, email_hash: str) -> ConsentRecord | None:
    """The word that counts: the latest, and of two at the same moment the refusal."""
    return (
        await ConsentRecord.filter(connection_id=connection_id, email_hash=email_hash)
        .order_by("-at", "marketing")
        .first()
    )


async def suppress(
    connection_id: int,
    email_hash: str,
    cause: Cause,
    at: datetime,
    *,
    store_id: int | None = None,
    detail: str | None = None,
) -> None:
    """Nobody at this address is written to any more, at one store or (``store_id`` null) the whole connection.

    Call in a transaction: who wants to know of it is told if and only if it is so.
    """
    in_force = Suppression.filter(
        connection_id=connection_id, store_id=store_id, email_hash=email_hash, cause=cause, lifted_at=None
    )
    if await in_force.exists():
        return
    row = await Suppression.create(
        connection_id=connection_id,
        store_id=store_id,
        email_hash=email_hash,
        cause=cause,
        at=at,
        detail=mask_addresses(detail)[:255] if detail else None,
    )
    if await webhooks.is_wanted(connection_id, "suppression.created"):
        store = await Store.get_or_none(id=store_id) if store_id else None
        told = {"cause": cause, "store": store.code if store else None}
        fact = webhooks.Fact("suppression.created", f"suppression:{row.id}", at, email_hash, told)
        await webhooks.publish(connection_id, fact)


async def suppress_all(
    connection_id: int, told: Mapping[str, tuple[Cause, datetime]], *, store_id: int | None = None
) -> set[str]:
    """``suppress`` many people, hash by hash; those it is news for. Call with all of them locked."""
    known = await Suppression.filter(
        connection_id=connection_id, store_id=store_id, email_hash__in=list(told), lifted_at=None
    ).values_list("email_hash", "cause")
    news = {each for each, (cause, _) in told.items() if (each, cause) not in known}
    await Suppression.bulk_create(
        Suppression(connection_id=connection_id, store_id=store_id, email_hash=each, cause=told[each][0],
                    at=told[each][1], detail="import")
        for each in sorted(news)
    )  # fmt: skip
    return news


async def lift_suppression(
    connection_id: int, email_hash: str, cause: Cause, at: datetime, *, store_id: int | None = None
) -> int:
    """Take a suppression back, that of one store or (``store_id`` null) of the whole connection; how many."""
    return await Suppression.filter(
        connection_id=connection_id, store_id=store_id, email_hash=email_hash, cause=cause, lifted_at=None
    ).update(lifted_at=at)


async def suppression_in_force(
    connection_id: int, store_id: int, email_hash: str, causes: Collection[str] | None = None
) -> Suppression | None:
    """The oldest suppression (of these causes) that keeps this store from writing to this person."""
    rows = await Suppression.filter(connection_id=connection_id, email_hash=email_hash, lifted_at=None).order_by("at")
    counting = (row for row in rows if causes is None or row.cause in causes)
    return next((row for row in counting if row.store_id in (None, store_id)), None)


async def was_erased(connection_id: int, email_hash: str | None, since: datetime) -> bool:
    """Whether this person was erased at or after ``since``: what happened before then is not to be kept again."""
    return email_hash is not None and await Suppression.exists(
        connection_id=connection_id, email_hash=email_hash, cause="erased", at__gte=since
    )
