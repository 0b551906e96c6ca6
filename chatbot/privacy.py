"""Personal data of conversations: how long it is kept, everything of one person, and forgetting it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from chatbot.models import Conversation, ConversationEvent, Turn, WithheldSentence
from recovery import db
from recovery.privacy_erase import forget_notices
from recovery.privacy_export import plain
from recovery.stores.registry import all_in_force

#: As long as the notice to the shop that holds the same address.
ANSWER_ADDRESSES = timedelta(days=30)
BATCH = 200

_THEIRS = """
SELECT c.id FROM conversation c JOIN store s ON s.id = c.store_id JOIN cart k ON k.id = c.cart_id
 WHERE s.connection_id = $1
   AND (k.email_hash = $2 OR c.link_jti IN (SELECT jti FROM link_token WHERE email_hash = $2))
"""
_OLD = f"""
SELECT id FROM conversation WHERE store_id = $1 AND expires_at < $2 AND status <> 'erased' ORDER BY id
 LIMIT {BATCH} FOR UPDATE SKIP LOCKED
"""  # noqa: S608


async def retain(now: datetime) -> dict[str, int]:
    """Forget what is older than it may be kept; how much of each kind. That a person was asked for stays."""
    addresses = await Conversation.filter(
        waiting_since__lt=now - ANSWER_ADDRESSES, waiting_address__isnull=False
    ).update(waiting_address=None)
    counts = {"answer addresses": addresses, "conversations": 0}
    for store in await all_in_force(None):
        before = now - timedelta(days=store.settings.keep_conversations_days)
        counts["conversations"] += await _forget_old(store.row.id, before, now)
    return counts


async def export(connection_id: int, email_hash: str, address: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about the person at one connection, by table; tables without one are left out."""
    ids = await _theirs(connection_id, email_hash)
    told = {
        "conversation": await Conversation.filter(id__in=ids).order_by("created_at").values(),
        "turn": await Turn.filter(conversation_id__in=ids).order_by("id").values(),
        "conversation_event": await ConversationEvent.filter(conversation_id__in=ids).order_by("id").values(),
        "withheld": await WithheldSentence.filter(turn__conversation_id__in=ids).order_by("id").values(),
    }
    elsewhere = Conversation.filter(store__connection_id=connection_id, waiting_address__iexact=address)
    told["conversation"] += await elsewhere.exclude(id__in=ids).values("id", "waiting_since", "waiting_address")
    return {table: [plain(row) for row in rows] for table, rows in told.items() if rows}


async def erase(connection_id: int, email_hash: str, address: str, now: datetime) -> dict[str, int]:
    """Forget the person's conversations inside the caller's transaction, before the carts they are about."""
    ids = await _theirs(connection_id, email_hash)
    await _forget(ids, now)
    addresses = Conversation.filter(store__connection_id=connection_id, waiting_address__iexact=address)
    found = [row.id for row in await addresses.only("id")]
    await Conversation.filter(id__in=found).update(waiting_address=None)
    counts = {"conversations": len(ids), "answer addresses": len(found)}
    return {kind: number for kind, number in counts.items() if number}


async def _theirs(connection_id: int, email_hash: str) -> list[UUID]:
    rows = await db.client().execute_query_dict(_THEIRS, [connection_id, email_hash])
    return sorted(row["id"] for row in rows)


async def _forget_old(store_id: int, before: datetime, now: datetime) -> int:
    done = 0
    while True:
        async with db.in_transaction():
            rows = await db.client().execute_query_dict(_OLD, [store_id, before])
            if not rows:
                return done
            await _forget([row["id"] for row in rows], now)
            done += len(rows)


async def _forget(ids: Sequence[UUID], now: datetime) -> None:
    """What was said goes, that there was a conversation stays; its sockets close by themselves."""
    # In this order, as everybody who holds several does.
    for conversation in sorted(ids):
        await Conversation.filter(id=conversation).select_for_update().first()
    await ConversationEvent.filter(conversation_id__in=list(ids)).delete()
    await Turn.filter(conversation_id__in=list(ids)).delete()
    await Conversation.filter(id__in=list(ids), closed_at=None).update(closed_at=now)
    await Conversation.filter(id__in=list(ids)).update(status="erased", waiting_address=None)
    for conversation in ids:
        await forget_notices(f"person:{conversation}:", now)
