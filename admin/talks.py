"""The assistant's conversations for a terminal: the latest ones, and one with everything that became of each turn."""

import uuid
from collections.abc import Callable
from typing import Any

from chatbot.models import Conversation, Turn, WithheldSentence
from recovery import db
from recovery.errors import NotFound
from recovery.llm_errors import cause_advice, cause_words
from recovery.text import mask_address, mask_addresses

_LATEST = """
SELECT v.id, v.created_at, v.status, v.waiting_since, x.key || '/' || s.code AS store, c.email,
       count(t.id)::int AS turns,
       count(t.fallback_cause)::int AS failed, sum(t.input_tokens + t.output_tokens)::bigint AS tokens,
       sum(t.cost_micros)::bigint AS cost_micros
  FROM conversation v
  JOIN store s ON s.id = v.store_id
  JOIN connection x ON x.id = s.connection_id
  JOIN cart c ON c.id = v.cart_id
  LEFT JOIN turn t ON t.conversation_id = v.id
 GROUP BY v.id, x.key, s.code, c.email
 ORDER BY v.created_at DESC, v.id LIMIT $1
"""


async def latest(limit: int) -> list[dict[str, Any]]:
    """The newest conversations, with how often a model failed in them and what they cost."""
    rows = await db.client().execute_query_dict(_LATEST, [limit])
    return [
        {
            "id": str(row["id"]),
            "created_at": row["created_at"],
            "store": row["store"],
            "customer": mask_address(row["email"]) if row["email"] else None,
            "status": row["status"],
            "waiting_since": row["waiting_since"],
            "turns": row["turns"],
            "failed": row["failed"],
            "tokens": row["tokens"],
            "cost": cost(row["cost_micros"]),
        }
        for row in rows
    ]


async def one(name: str) -> dict[str, Any]:
    """A conversation with its turns, the oldest first; addresses in what was said are masked.

    Raises:
        NotFound: there is no such conversation.
    """
    try:
        row = await Conversation.get_or_none(id=uuid.UUID(name)).select_related("store", "cart")
    except ValueError:
        row = None
    if row is None:
        raise NotFound(f"There is no conversation {name!r}; `cartback conversations list` shows them.")
    return {
        "id": str(row.id),
        "created_at": row.created_at,
        "store": row.store.name,
        "customer": mask_address(row.cart.email) if row.cart.email else None,
        "status": row.status,
        "waiting_since": row.waiting_since,
        "waiting_address": mask_address(row.waiting_address) if row.waiting_address else None,
        "turns": await turns_of(row, masked=True),
    }


async def turns_of(conversation: Conversation, *, masked: bool) -> list[dict[str, Any]]:
    """The turns of a conversation with how each answer came about, the oldest first; ``masked``: without addresses."""
    turns = await Turn.filter(conversation_id=conversation.id).order_by("id")
    held = await WithheldSentence.filter(turn_id__in=[turn.id for turn in turns]).order_by("id")
    hide = mask_addresses if masked else str
    return [_turn(turn, [each for each in held if each.turn_id == turn.id], hide) for turn in turns]


def _turn(turn: Turn, held: list[WithheldSentence], hide: Callable[[str], str]) -> dict[str, Any]:
    cause = turn.fallback_cause
    return {
        "asked_at": turn.asked_at,
        "question": hide(turn.question),
        "answer": hide(turn.answer),
        "finish": turn.finish or turn.status,
        "vote": turn.vote,
        "answered_by": turn.answered_by,
        "model": turn.model,
        "input_tokens": turn.input_tokens,
        "output_tokens": turn.output_tokens,
        "cost": cost(turn.cost_micros),
        "first_text_ms": turn.first_text_ms,
        "total_ms": turn.total_ms,
        "model_failed": None if cause is None else cause_words(cause),
        "detail": turn.fallback_detail,
        "advice": None if cause is None else cause_advice(cause),
        "withheld": [{"sentence": hide(each.sentence), "kind": each.kind, "claim": each.claim} for each in held],
    }


def cost(micros: int | None) -> float | None:
    """An estimate in the currency of the store's prices."""
    return None if micros is None else round(micros / 1_000_000, 6)
