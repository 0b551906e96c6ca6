"""The assistant's conversations: the list with its filters, a transcript, and a transcript as text to keep."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from starlette.responses import Response

from admin import talks
from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.paging import Page, PageQuery, page_of, read_cursor
from admin.api.problems import not_found
from admin.api.sql import Where, count, rows
from chatbot.models import Conversation
from recovery.text import mask_address, mask_addresses

api = Operations("conversations")

_ROWS = """
SELECT v.id, v.store_id, v.created_at, v.status, v.waiting_since, v.language, c.email, c.quote_id,
       c.status = 'ordered' AS ordered, t.turns, t.failed, t.up, t.down, t.tokens, t.cost_micros, t.last_at,
       (SELECT question FROM turn WHERE conversation_id = v.id ORDER BY id DESC LIMIT 1) AS last_question
  FROM conversation v
  JOIN cart c ON c.id = v.cart_id
  LEFT JOIN LATERAL (
       SELECT count(*)::int AS turns, count(fallback_cause)::int AS failed, count(*) FILTER (WHERE vote > 0)::int AS up,
              count(*) FILTER (WHERE vote < 0)::int AS down, sum(input_tokens + output_tokens)::bigint AS tokens,
              sum(cost_micros)::bigint AS cost_micros, max(asked_at) AS last_at
         FROM turn WHERE conversation_id = v.id) t ON true
 WHERE v.id IN (SELECT v.id FROM conversation v WHERE {where}
                 ORDER BY v.created_at DESC, v.id DESC LIMIT {limit})
 ORDER BY v.created_at DESC, v.id DESC
"""
_ANY_TURN = "EXISTS (SELECT 1 FROM turn WHERE conversation_id = v.id AND {condition})"


class ConversationQuery(PageQuery):
    """Which conversations."""

    store: int | None = Field(None, ge=1, le=2**31 - 1)
    state: Literal["open", "closed", "erased", "waiting", "ordered"] | None = Field(
        None, description="waiting: for a person; ordered: its cart was bought"
    )
    vote: Literal["up", "down"] | None = Field(None, description="With a thumb on any answer")
    model_failed: bool | None = Field(None, description="Whether a model failed to answer in it")
    asked: bool | None = Field(None, description="Whether anything was asked in it")
    abandonment: int | None = Field(None, ge=1, le=2**63 - 1, description="About this cart")
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = Field(None, min_length=2, max_length=100, description="Words of a question or an answer")


class ConversationRow(BaseModel):
    """One conversation."""

    id: UUID
    store: int
    created_at: datetime
    last_at: datetime | None = Field(description="When the newest question came")
    status: str
    waiting_since: datetime | None = Field(description="Since when the customer asks for a person")
    language: str
    customer: str | None = Field(description="The address; masked without `personal:read`")
    quote_id: str
    ordered: bool
    turns: int
    model_failed: int = Field(description="Answers that a model did not give")
    up: int
    down: int
    tokens: int | None
    cost: float | None = Field(description="Estimate in the currency of the store's prices")
    last_question: str | None


class Withheld(BaseModel):
    """A sentence of a model that the customer did not see, because nothing of the store backs it."""

    sentence: str
    kind: str
    claim: str


class TurnRow(BaseModel):
    """A question and its answer."""

    asked_at: datetime
    question: str
    answer: str
    finish: str
    answered_by: str | None
    vote: int | None
    model: str | None
    input_tokens: int | None
    output_tokens: int | None
    cost: float | None
    first_text_ms: int | None
    total_ms: int | None
    model_failed: str | None = Field(description="Why the model did not answer, in words")
    advice: str | None
    withheld: list[Withheld]


class Transcript(BaseModel):
    """A conversation, the oldest question first."""

    id: UUID
    store: int
    created_at: datetime
    status: str
    customer: str | None
    waiting_since: datetime | None
    waiting_address: str | None = Field(description="Where the customer wants the answer of a person")
    turns: list[TurnRow]


@api.add("GET", "/conversations", scope="conversations:read")
async def list_conversations(call: Call, query: ConversationQuery) -> Page[ConversationRow]:
    """The conversations, newest first."""
    where = _where(call, query)
    total = await count("conversation v", where)
    start = read_cursor(query.after, (str, str))
    if start is not None:
        where.add("(v.created_at, v.id) < ({}, {}::uuid)", *_start(start))
    statement = _ROWS.format(limit=where.value(query.limit + 1), where=where.sql)
    found = await rows(statement, where.values)
    cursors = [[each["created_at"].isoformat(), str(each["id"])] for each in found]
    return page_of([_row(call, each) for each in found], query.limit, cursors, total)


@api.add("GET", "/conversations/{id}", scope="conversations:read")
async def show_conversation(call: Call, id: UUID) -> Transcript:
    """A conversation with how each answer came about."""
    row = await Conversation.get_or_none(id=id).select_related("cart")
    if row is None or not call.who.sees(row.store_id):
        raise not_found("conversation")
    turns = await talks.turns_of(row, masked=not call.shows_personal)
    return Transcript(
        id=id,
        store=row.store_id,
        created_at=row.created_at,
        status=row.status,
        customer=_address(call, row.cart.email),
        waiting_since=row.waiting_since,
        waiting_address=_address(call, row.waiting_address),
        turns=[TurnRow.model_validate(turn) for turn in turns],
    )


@api.add("GET", "/conversations/{id}/text", scope="conversations:read", media="text/plain")
async def export_conversation(call: Call, id: UUID) -> Response:
    """A conversation as plain text, to keep or pass on."""
    told = await show_conversation(call, id)
    lines = [f"Conversation {id}, {told.created_at:%Y-%m-%d %H:%M} UTC, {told.customer or 'no address'}", ""]
    for turn in told.turns:
        lines += [f"[{turn.asked_at:%H:%M}] Customer: {turn.question}", f"Assistant: {turn.answer}", ""]
    headers = {"Content-Disposition": f'attachment; filename="conversation-{id}.txt"'}
    return Response("\n".join(lines), 200, headers=headers, media_type="text/plain; charset=utf-8")


def _where(call: Call, query: ConversationQuery) -> Where:
    where = Where()
    where.given("v.store_id = ANY({}::int[])", call.store_filter(query.store))
    if query.state == "waiting":
        where.add("v.waiting_since IS NOT NULL")
    elif query.state == "ordered":
        where.add("EXISTS (SELECT 1 FROM cart WHERE id = v.cart_id AND status = 'ordered')")
    else:
        where.given("v.status = {}", query.state)
    if query.vote is not None:
        where.add(_ANY_TURN.format(condition="vote > 0" if query.vote == "up" else "vote < 0"))
    if query.model_failed is not None:
        where.add(f"{'' if query.model_failed else 'NOT '}{_ANY_TURN.format(condition='fallback_cause IS NOT NULL')}")
    if query.asked is not None:
        where.add(f"{'' if query.asked else 'NOT '}{_ANY_TURN.format(condition='true')}")
    where.given("v.cart_id = (SELECT cart_id FROM abandonment WHERE id = {})", query.abandonment)
    where.given("v.created_at >= {}", query.since)
    where.given("v.created_at < {}", query.until)
    if query.q:
        pattern = "%" + query.q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        where.add(_ANY_TURN.format(condition="(question ILIKE {} OR answer ILIKE {})"), pattern, pattern)
    return where


def _start(values: list[Any]) -> list[Any]:
    """The values of a cursor as the statement takes them.

    Raises:
        Problem: they are none.
    """
    try:
        return [datetime.fromisoformat(values[0]), UUID(values[1])]
    except ValueError:
        raise not_found("page") from None


def _row(call: Call, row: dict[str, Any]) -> ConversationRow:
    question = row["last_question"]
    return ConversationRow(
        id=row["id"],
        store=row["store_id"],
        created_at=row["created_at"],
        last_at=row["last_at"],
        status=row["status"],
        waiting_since=row["waiting_since"],
        language=row["language"],
        customer=_address(call, row["email"]),
        quote_id=row["quote_id"],
        ordered=row["ordered"],
        turns=row["turns"] or 0,
        model_failed=row["failed"] or 0,
        up=row["up"] or 0,
        down=row["down"] or 0,
        tokens=row["tokens"],
        cost=talks.cost(row["cost_micros"]),
        last_question=question if question is None or call.shows_personal else mask_addresses(question),
    )


def _address(call: Call, address: str | None) -> str | None:
    return address if address is None or call.shows_personal else mask_address(address)
