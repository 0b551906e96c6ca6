"""Finds the carts left behind and ends the episodes nobody came back to.

The rule is the original's: an active cart with items and an e-mail address, no completed order, idle for longer than
the store's threshold, while the module is on. The look-back window keeps history out.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from recovery import db, episodes, webhooks
from recovery.models import Abandonment, SyncState
from recovery.secrets import Keys
from recovery.stores.registry import StoreInForce

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_DUE = """
SELECT c.id, c.email_hash
  FROM cart c
 WHERE c.store_id = $1 AND c.status = 'active' AND c.email_hash IS NOT NULL
   AND c.activity_at <= $2 AND c.activity_at > $3
   AND EXISTS (SELECT 1 FROM cart_item i WHERE i.cart_id = c.id)
   AND NOT EXISTS (SELECT 1 FROM "order" o
                    WHERE o.connection_id = c.connection_id AND o.quote_id = c.quote_id AND o.state <> 'cancelled')
   AND NOT EXISTS (SELECT 1 FROM abandonment a
                    WHERE a.cart_id = c.id
                      AND (a.open_key IS NOT NULL OR a.fingerprint = c.fingerprint AND a.detected_at >= c.activity_at))
 ORDER BY c.activity_at
 LIMIT $4
"""
# One statement for a batch of any size; the carts are locked, so they are as they were judged.
_OPEN = """
INSERT INTO abandonment (connection_id, store_id, cart_id, open_key, status, detected_at, email_hash, arm,
                         holdout_percent, fingerprint, total, currency, currency_digits, contributions)
SELECT c.connection_id, $3, c.id, c.id, 'detected', $4, c.email_hash, d.arm,
       $5, c.fingerprint, c.total, c.currency, c.currency_digits, '[]'
  FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY d(cart_id, arm, place)
  JOIN cart c ON c.id = d.cart_id
 ORDER BY d.place
"""


async def sweep(store: StoreInForce, keys: Keys, now: datetime, limit: int | None = None) -> int:
    """Open an abandonment for each cart of one store that is due, at most ``limit`` (the batch size); how many."""
    if _is_off(store):
        return 0
    until = await known_until(store, now)
    async with db.in_transaction():
        # Two sweeps at once: the later one would decide by what it saw before the first one's episodes were there.
        await db.lock(store.row.connection_id, f"detect {store.row.id}")
        # Locked carts are being changed this moment, so they are not idle.
        due = await db.client().execute_query_dict(
            f"{_DUE} FOR UPDATE OF c SKIP LOCKED", _window(store, until, now, limit)
        )
        share, connection = store.settings.holdout_percent, store.row.connection_id
        arms = [arm(keys, connection, cart["email_hash"], share) for cart in due]
        await db.client().execute_query(_OPEN, [[cart["id"] for cart in due], arms, store.row.id, now, share])
        await _tell(store, [cart["id"] for cart in due])
    return len(due)


async def _tell(store: StoreInForce, cart_ids: list[int]) -> None:
    """Publish the abandonments that were just opened, to whoever wants to know."""
    if not cart_ids or not await webhooks.is_wanted(store.row.connection_id, "abandonment.detected"):
        return
    opened = await Abandonment.filter(open_key__in=cart_ids).prefetch_related("cart").order_by("id")
    facts = [
        webhooks.Fact(
            "abandonment.detected",
            f"detected:{each.id}",
            each.detected_at,
            each.email_hash,
            {
                "abandonment": each.id,
                "store": store.row.code,
                "quote_id": each.cart.quote_id,
                # Whoever acts on this should leave the held-out alone, or nothing can be proved any more.
                "arm": each.arm,
                "total": each.total,
                "currency": each.currency,
                "currency_digits": each.currency_digits,
            },
        )
        for each in opened
    ]
    await webhooks.publish(store.row.connection_id, *facts)


async def count_due(store: StoreInForce, now: datetime, limit: int | None = None) -> int:
    """How many carts ``sweep`` would take now."""
    if _is_off(store):
        return 0
    until = await known_until(store, now)
    return len(await db.client().execute_query_dict(_DUE, _window(store, until, now, limit)))


async def known_until(store: StoreInForce, now: datetime) -> datetime:
    """Until when the shop's carts are known: a shop that is asked may have been silent, or down, since."""
    state = await SyncState.get_or_none(connection_id=store.row.connection_id)
    if state is None:
        return now
    return min(now, state.carts_read_at or NEVER)


def _is_off(store: StoreInForce) -> bool:
    return not store.settings.enabled or store.row.mode == "paused"


def _window(store: StoreInForce, until: datetime, now: datetime, limit: int | None) -> list[object]:
    """The parameters of ``_DUE``: idle for long enough as far as is known, but not so long that it is history."""
    settings = store.settings
    return [
        store.row.id,
        until - timedelta(minutes=settings.inactivity_minutes),
        now - timedelta(hours=settings.look_back_hours),
        limit or settings.batch_size,
    ]


async def expire(store: StoreInForce, now: datetime) -> int:
    """End what has been open for longer than the store waits; how many."""
    before = now - timedelta(days=store.settings.expire_days)
    async with db.in_transaction():
        old = (
            await Abandonment.filter(store_id=store.row.id, open_key__isnull=False, detected_at__lt=before)
            .order_by("id")
            .limit(store.settings.batch_size)
            .select_for_update(skip_locked=True)
        )
        for abandonment in old:
            await episodes.close(abandonment, "expired", now)
    return len(old)


def arm(keys: Keys, connection_id: int, email_hash: str, holdout_percent: int) -> str:
    """``holdout`` for a fixed share of people, the same for every cart of a person, decided before any mail or cost."""
    if not holdout_percent:
        return "treatment"
    digest = hmac.new(keys.pepper, f"arm {connection_id} {email_hash}".encode(), hashlib.sha256).digest()
    return "holdout" if int.from_bytes(digest[:4], "big") % 100 < holdout_percent else "treatment"
