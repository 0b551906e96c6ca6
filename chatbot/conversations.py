"""Conversations: opened by an assistant link, numbered durable events, expiry, and what a socket needs to resume."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from chatbot import events
from chatbot.models import Conversation
from chatbot.wire_cart import wire_lines, wire_money
from recovery import db
from recovery.errors import CartbackError, LinkRefused
from recovery.links import OpenedLink, open_link
from recovery.runtime import Runtime
from recovery.swaps import read_shown
from recovery.tokens import sign_session

REPLAY_BATCH = 50
GONE_CARTS = {"deleted", "merged"}


class ConversationGone(CartbackError):
    """The conversation was closed or erased, or its cart is."""


class ConversationOver(CartbackError):
    """The conversation's time is over."""


@dataclass(frozen=True)
class Event:
    """A durable event; ``text`` is the whole answer of a ``done`` that was read from the database."""

    seq: int
    payload: dict[str, Any]
    text: str | None = None

    def frame(self, *, with_text: bool = False) -> dict[str, Any]:
        """As it is sent."""
        extra = {"text": self.text} if with_text and self.text is not None else {}
        return self.payload | {"seq": self.seq} | extra


@dataclass(frozen=True)
class Snapshot:
    """The state of a conversation at one instant: its last event and the answer that is being written, if any."""

    seq: int
    turn: str | None
    ep: int
    answer: str


@dataclass(frozen=True)
class OpenedSession:
    """What a page gets for its link."""

    conversation: Conversation
    session: str


async def open_session(runtime: Runtime, token: str, now: datetime) -> OpenedSession:
    """The conversation of an assistant link, made at the first call, and a session token for its socket.

    Raises:
        LinkRefused: the link does not open anything (cause ``expired`` when only its time is over).
        ConversationGone: the conversation was closed or erased, or its cart is gone.
    """
    opened = await open_link(runtime, "assistant", token, now)
    if opened.link.expires_at <= now:
        raise LinkRefused("expired")
    if opened.cart.status in GONE_CARTS:
        raise ConversationGone("The cart is gone.")
    conversation = await _find_or_make(opened, now)
    if conversation.status != "open":
        raise ConversationGone("This conversation was closed.")
    return OpenedSession(conversation, sign_session(runtime.keys, str(conversation.id), now))


async def _find_or_make(opened: OpenedLink, now: datetime) -> Conversation:
    # A fresh link goes on with the talk of the link it was asked for in place of: the same cart, the same mailbox.
    first = opened.link.renews or opened.link.jti
    found = await Conversation.get_or_none(link_jti=first)
    if found is not None:
        if found.expires_at < opened.link.expires_at:
            found.expires_at = opened.link.expires_at
            await found.save(update_fields=["expires_at"])
        return found
    fresh = Conversation(
        id=uuid.uuid4(),
        store_id=opened.store.id,
        cart_id=opened.cart.id,
        link_jti=first,
        language=opened.store.language,
        created_at=now,
        expires_at=opened.link.expires_at,
    )
    # Two tabs may open the link at once: the first row wins and both read it back.
    async with db.in_transaction():
        await Conversation.bulk_create([fresh], ignore_conflicts=True)
        made = await Conversation.get(link_jti=first)
        if made.id == fresh.id:
            await _begin(made, opened, now)
    return made


async def _begin(made: Conversation, opened: OpenedLink, now: datetime) -> None:
    """Keep the cart that the page shows from its HTML: event 0, which is never sent, and what is news is news to it."""
    fetched = opened.link.last_seen_at
    if fetched is not None and opened.cart.received_at >= fetched:
        return  # the shop changed it since; without an event 0 it is told
    shown = await read_shown(opened.cart)
    lines, total = wire_lines(opened.cart, opened.store, shown), wire_money(opened.cart, opened.store, shown.total)
    await db.client().execute_query(
        """
        INSERT INTO conversation_event (conversation_id, seq, payload, at) VALUES ($1, 0, $2, $3)
        """,
        [made.id, orjson.dumps(events.cart(lines, total)).decode(), now],
    )


async def find_open(conversation: uuid.UUID, now: datetime) -> Conversation:
    """The conversation that a socket wants to join, with its store.

    Raises:
        ConversationGone: it was closed or erased, or its cart is gone.
        ConversationOver: its time is over.
    """
    row = await Conversation.get_or_none(id=conversation).select_related("store", "cart")
    if row is None or row.cart.status in GONE_CARTS:
        raise ConversationGone("There is no such conversation.")
    _check(row.status, row.expires_at, now)
    return row


async def touch(conversations: Iterable[str]) -> None:
    """Note that a socket is in these conversations, on the database's clock as leases are."""
    await db.client().execute_query(
        "UPDATE conversation SET last_socket_at = now() WHERE id = ANY($1)", [list(conversations)]
    )


async def hold(connection: BaseDBAsyncClient, conversation: uuid.UUID) -> tuple[str | None, datetime | None]:
    """Take the conversation's row for this transaction, before any turn of it; its status and expiry, None if gone."""
    rows = await connection.execute_query_dict(
        "SELECT status, expires_at FROM conversation WHERE id = $1 FOR UPDATE", [conversation]
    )
    return (rows[0]["status"], rows[0]["expires_at"]) if rows else (None, None)


async def hold_open(connection: BaseDBAsyncClient, conversation: uuid.UUID, now: datetime) -> None:
    """``hold``, for what only an open conversation may do.

    Raises:
        ConversationGone: it was closed or erased.
        ConversationOver: its time is over.
    """
    _check(*await hold(connection, conversation), now)


def _check(status: str | None, expires_at: datetime | None, now: datetime) -> None:
    if status != "open" or expires_at is None:
        raise ConversationGone("This conversation was closed.")
    if expires_at <= now:
        raise ConversationOver("The time of this conversation is over.")


async def append(
    connection: BaseDBAsyncClient, conversation: uuid.UUID, payloads: Iterable[dict[str, Any]], now: datetime
) -> list[Event]:
    """Write durable events in the caller's transaction, numbered without a hole."""
    written = []
    for payload in payloads:
        rows = await connection.execute_query_dict(
            "UPDATE conversation SET last_seq = last_seq + 1 WHERE id = $1 RETURNING last_seq", [conversation]
        )
        event = Event(rows[0]["last_seq"], payload)
        await connection.execute_query(
            "INSERT INTO conversation_event (conversation_id, seq, payload, at) VALUES ($1, $2, $3, $4)",
            [conversation, event.seq, orjson.dumps(payload).decode(), now],
        )
        written.append(event)
    return written


async def events_after(conversation: uuid.UUID, seq: int, until: int | None = None) -> list[Event]:
    """The next durable events after ``seq``, oldest first, at most ``REPLAY_BATCH``; a ``done`` has its text."""
    rows = await db.client().execute_query_dict(
        """
        SELECT e.seq, e.payload, t.answer
        FROM conversation_event e
        LEFT JOIN turn t ON e.payload ->> 't' = 'done' AND t.conversation_id = e.conversation_id
             AND t.client_id = (e.payload ->> 'msg')::uuid
        WHERE e.conversation_id = $1 AND e.seq > $2 AND ($3::bigint IS NULL OR e.seq <= $3::bigint)
        ORDER BY e.seq LIMIT $4
        """,
        [conversation, seq, until, REPLAY_BATCH],
    )
    return [Event(row["seq"], orjson.loads(row["payload"]), row["answer"]) for row in rows]


async def snapshot(conversation: uuid.UUID) -> Snapshot:
    """Where the conversation stands, in one statement, so that number and text belong together.

    Raises:
        ConversationGone: there is no such row any more.
    """
    rows = await db.client().execute_query_dict(
        """
        SELECT c.last_seq, t.client_id, t.fence, t.answer
        FROM conversation c LEFT JOIN turn t ON t.running_key = c.id AND t.fence > 0
        WHERE c.id = $1
        """,
        [conversation],
    )
    if not rows:
        raise ConversationGone("This conversation was closed.")
    row = rows[0]
    turn = row["client_id"]
    return Snapshot(row["last_seq"], str(turn) if turn else None, row["fence"] or 0, row["answer"] or "")
