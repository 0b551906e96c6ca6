"""Takes lists of people in, some hundred at a time: who is not to be written to, and who agreed."""

from collections.abc import Sequence
from datetime import datetime

from recovery import db, episodes
from recovery.carts import hear_consent
from recovery.imports_reading import Unwanted, Word
from recovery.models import Abandonment, ConsentRecord
from recovery.persons import Cause, lock_persons, suppress_all
from recovery.secrets import Keys
from recovery.stores.snapshots import Consent

BATCH = 500


class _OnlyLooking(Exception):
    """Ends the transaction of a dry run, which takes everything back."""


async def take_suppressions(
    place: tuple[int, int | None], people: Sequence[Unwanted], keys: Keys, now: datetime, *, dry_run: bool = False
) -> int:
    """Stop writing to these people at a connection or one store of it; for how many that is news."""
    connection_id, store_id = place
    told: dict[str, tuple[Cause, datetime]] = {}
    for one in people:
        told.setdefault(keys.email_hash(one.address), (one.cause, one.at or now))
    news: set[str] = set()
    try:
        async with db.in_transaction():
            await lock_persons(connection_id, told)
            news = await suppress_all(connection_id, told, store_id=store_id)
            mine = Abandonment.filter(connection_id=connection_id, email_hash__in=news, open_key__isnull=False)
            for row in await (mine.filter(store_id=store_id) if store_id else mine):
                await episodes.take_back_emails([row.id], told[row.email_hash or ""][0], now, "suppressed")
            if dry_run:
                raise _OnlyLooking
    except _OnlyLooking:
        pass
    return len(news)


async def take_consents(
    connection_id: int, words: Sequence[Word], keys: Keys, now: datetime, *, dry_run: bool = False
) -> int:
    """Keep what these people said, and act on it as on the shop's own word; how many words are new."""
    people = {keys.email_hash(word.address) for word in words}
    news = 0
    try:
        async with db.in_transaction():
            await lock_persons(connection_id, people)
            rows = await ConsentRecord.filter(connection_id=connection_id, email_hash__in=people)
            known = {(row.email_hash, row.at, row.marketing, row.source) for row in rows}
            for word in words:
                mark = (keys.email_hash(word.address), word.at, word.marketing, word.source)
                if mark not in known:
                    known.add(mark)
                    news += 1
                    await hear_consent(connection_id, mark[0], _consent(word), now)
            if dry_run:
                raise _OnlyLooking
    except _OnlyLooking:
        pass
    return news


def _consent(word: Word) -> Consent:
    return Consent(word.marketing, word.at, word.basis, word.source, word.text_version)
