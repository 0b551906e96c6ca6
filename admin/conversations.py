"""The assistant's conversations: the list of them, and the words of those about one cart."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from admin.pages import Pager, page, page_number
from chatbot.models import Conversation, Turn
from recovery import db
from recovery.runtime import Runtime

PER_PAGE = 20
MOST_TURNS = 200

_ROWS = """
SELECT v.id, v.created_at, v.status, v.waiting_since, v.waiting_address, s.name AS store, s.timezone, c.email,
       (SELECT a.id FROM abandonment a WHERE a.cart_id = v.cart_id ORDER BY a.detected_at DESC LIMIT 1) AS abandonment,
       (SELECT count(*) FROM turn t WHERE t.conversation_id = v.id) AS turns, last.question, last.asked_at,
       last.finish, last.answered_by, last.fallback_cause
  FROM conversation v
  JOIN store s ON s.id = v.store_id
  JOIN cart c ON c.id = v.cart_id
  LEFT JOIN LATERAL (SELECT question, asked_at, finish, answered_by, fallback_cause FROM turn
                      WHERE conversation_id = v.id ORDER BY id DESC LIMIT 1) last ON true
 ORDER BY v.created_at DESC, v.id
 LIMIT $1 OFFSET $2
"""


@dataclass(frozen=True)
class Transcript:
    """One conversation with its turns, the oldest first."""

    conversation: Conversation
    turns: list[Turn]


async def show(request: Request) -> Response:
    """``GET /admin/conversations?page=``: the newest first."""
    runtime: Runtime = request.state.runtime
    pager = Pager("/admin/conversations", page_number(request), PER_PAGE, await Conversation.all().count(), {})
    rows = await db.client().execute_query_dict(_ROWS, [PER_PAGE, pager.offset])
    return page("conversations", request, rows=rows, pager=pager, now=runtime.now())


async def transcripts(cart_id: int) -> list[Transcript]:
    """What was said about one cart, the last ``MOST_TURNS`` turns of it."""
    conversations = await Conversation.filter(cart_id=cart_id).order_by("created_at")
    latest = (
        await Turn.filter(conversation_id__in=[each.id for each in conversations])
        .order_by("-id")
        .limit(MOST_TURNS)
        .prefetch_related("withheld")
    )
    turns = sorted(latest, key=lambda turn: turn.id)
    return [Transcript(each, [turn for turn in turns if turn.conversation_id == each.id]) for each in conversations]
