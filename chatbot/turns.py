"""The rows of turns: asked once, claimed by one producer at a time, flushed while they grow, finished once."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient

from chatbot import events
from chatbot.account import LONGEST_DETAIL, LONGEST_SENTENCE, Account
from chatbot.conversations import Event, append, hold, hold_open
from chatbot.limits import Limits
from chatbot.models import Turn
from recovery import budgets, db
from recovery.errors import CartbackError

#: A turn whose producers died this often gets no further one.
MAX_PRODUCERS = 3
#: Of a row of ``turn``, $4 being the seconds; a conversation that never had a socket counts as watched.
_UNWATCHED = """coalesce((SELECT c.last_socket_at < now() - make_interval(secs => $4) FROM conversation c
                         WHERE c.id = turn.conversation_id), false) AS unwatched"""


class TurnRefused(CartbackError):
    """A question, retry, vote or cancel that can't be done; ``code`` is what the client is told."""

    def __init__(self, code: events.ErrorCode, after_ms: int = 0) -> None:
        super().__init__(code)
        self.code: events.ErrorCode = code
        self.after_ms = after_ms


@dataclass(frozen=True)
class Asked:
    """A stored question; ``id`` is None when it had been stored before."""

    id: int | None
    stored: Event


@dataclass(frozen=True)
class Claim:
    """The right to produce one answer: valid while the row's fence is ``ep`` and the lease holds."""

    id: int
    conversation: uuid.UUID
    turn: str
    question: str
    ep: int
    asked_at: datetime


@dataclass(frozen=True)
class Flushed:
    """What the producer learns when it keeps its text: whether a cancel was asked for, whether nobody is there."""

    cancelled: bool
    unwatched: bool


@dataclass(frozen=True)
class TakenOver:
    """What became of a seized turn: a claim to produce it, or None when ``written`` ends it."""

    conversation: uuid.UUID
    claim: Claim | None
    written: list[Event]


async def ask(
    conversation: uuid.UUID,
    client_id: uuid.UUID,
    text: str,
    limits: Limits,
    now: datetime,
    retry_of: uuid.UUID | None = None,
) -> Asked:
    """Store a question, once however often it is sent.

    Raises:
        TurnRefused: another answer is running, or there were too many questions.
        ConversationGone, ConversationOver: nothing may be asked any more.
    """
    async with db.in_transaction() as connection:
        await hold_open(connection, conversation, now)
        known = await _stored(connection, conversation, client_id)
        if known is not None:
            return Asked(None, known)
        await _check_room(connection, conversation, limits, now)
        rows = await connection.execute_query_dict(
            """
            INSERT INTO turn (conversation_id, client_id, running_key, status, question, answer, cards,
                              cancel_requested, fence, lease_until, asked_at)
            VALUES ($1, $2, $1, 'running', $3, '', '[]', false, 0, now() + make_interval(secs => $4), $5)
            RETURNING id
            """,
            [conversation, client_id, text, limits.turn_lease_seconds, now],
        )
        payload = events.ok(str(client_id), text, now.isoformat(), str(retry_of) if retry_of else None)
        [stored] = await append(connection, conversation, [payload], now)
        return Asked(rows[0]["id"], stored)


async def retry(conversation: uuid.UUID, turn: uuid.UUID, limits: Limits, now: datetime) -> Asked:
    """Ask the question of a finished turn once more; its id follows from the first, so that it happens once.

    Raises:
        TurnRefused: there is no such finished turn, or what ``ask`` refuses.
    """
    row = await Turn.get_or_none(conversation_id=conversation, client_id=turn, status="done").only("question")
    if row is None:
        raise TurnRefused("unknown_turn")
    return await ask(conversation, uuid.uuid5(turn, "retry"), row.question, limits, now, retry_of=turn)


async def _stored(connection: BaseDBAsyncClient, conversation: uuid.UUID, client_id: uuid.UUID) -> Event | None:
    rows = await connection.execute_query_dict(
        """
        SELECT e.seq, e.payload FROM turn t
        JOIN conversation_event e ON e.conversation_id = t.conversation_id
             AND e.payload ->> 't' = 'ok' AND e.payload ->> 'id' = t.client_id::text
        WHERE t.conversation_id = $1 AND t.client_id = $2
        """,
        [conversation, client_id],
    )
    return Event(rows[0]["seq"], orjson.loads(rows[0]["payload"])) if rows else None


async def _check_room(connection: BaseDBAsyncClient, conversation: uuid.UUID, limits: Limits, now: datetime) -> None:
    rows = await connection.execute_query_dict(
        """
        SELECT count(*) FILTER (WHERE status = 'running') AS running,
               count(*) FILTER (WHERE asked_at > $2) AS minute,
               min(asked_at) FILTER (WHERE asked_at > $2) AS oldest,
               count(*) FILTER (WHERE asked_at > $3) AS day
        FROM turn WHERE conversation_id = $1
        """,
        [conversation, now - timedelta(minutes=1), now - timedelta(days=1)],
    )
    found = rows[0]
    if found["running"]:
        raise TurnRefused("busy", 1000)
    if found["day"] >= limits.questions_per_day:
        raise TurnRefused("day_limit")
    if found["minute"] >= limits.questions_per_minute:
        until = found["oldest"] + timedelta(minutes=1) - now
        raise TurnRefused("rate", max(1000, int(until.total_seconds() * 1000)))


async def claim(turn: int, conversation: uuid.UUID, producer: str, limits: Limits, now: datetime) -> TakenOver | None:
    """Begin a turn that nobody has begun; None when somebody has."""
    async with db.in_transaction() as connection:
        await hold(connection, conversation)
        row = await _seize(connection, turn, producer, limits, "fence = 0")
        return await _begin(connection, row, now) if row else None


async def take_over(
    turn: int, conversation: uuid.UUID, producer: str, limits: Limits, now: datetime
) -> TakenOver | None:
    """Take a running turn whose producer's lease is over; None when there is nothing to take.

    Nothing was shown of it yet: it is produced again. Something was, or nobody is there: it ends there, marked so. What
    the one who is gone had reserved of the conversation's tokens is free again.
    """
    async with db.in_transaction() as connection:
        await hold(connection, conversation)
        row = await _seize(connection, turn, producer, limits, "lease_until < now()")
        if row is None:
            return None
        taken = await _go_on(connection, row, now)
    await budgets.release_all(budgets.of_conversation(conversation))
    return taken


async def _go_on(connection: BaseDBAsyncClient, row: dict[str, Any], now: datetime) -> TakenOver:
    if row["cancel_requested"]:
        return await _end(connection, row, "cancelled", now)
    if row["first_text_at"] is not None:
        return await _end(connection, row, "cut", now)
    if row["fence"] > MAX_PRODUCERS or row["unwatched"]:
        return await _end(connection, row, "error", now)
    return await _begin(connection, row, now)


async def _seize(
    connection: BaseDBAsyncClient, turn: int, producer: str, limits: Limits, condition: str
) -> dict[str, Any] | None:
    rows = await connection.execute_query_dict(
        # ``condition`` is one of the two constants above, nothing here comes from outside.
        f"""
        UPDATE turn SET fence = fence + 1, claimed_by = $2, lease_until = now() + make_interval(secs => $3)
        WHERE id = $1 AND status = 'running' AND {condition}
        RETURNING id, conversation_id, client_id, question, asked_at, answer, cards, fence, first_text_at,
                  cancel_requested, {_UNWATCHED}
        """,  # noqa: S608
        [turn, producer, limits.turn_lease_seconds, limits.unwatched_seconds],
    )
    return rows[0] if rows else None


async def _begin(connection: BaseDBAsyncClient, row: dict[str, Any], now: datetime) -> TakenOver:
    right = _claim_of(row)
    written = await append(connection, right.conversation, [events.start(right.turn, right.ep)], now)
    return TakenOver(right.conversation, right, written)


async def _end(connection: BaseDBAsyncClient, row: dict[str, Any], finish: events.Finish, now: datetime) -> TakenOver:
    right = _claim_of(row)
    written = await _finish(connection, right, row["answer"], [], finish, None, now)
    return TakenOver(right.conversation, None, written or [])


def _claim_of(row: dict[str, Any]) -> Claim:
    return Claim(
        row["id"], row["conversation_id"], str(row["client_id"]), row["question"], row["fence"], row["asked_at"]
    )


async def flush(right: Claim, text: str, answered_by: str | None, limits: Limits, now: datetime) -> Flushed | None:
    """Keep the text so far and renew the lease; None when the claim is lost."""
    rows = await db.client().execute_query_dict(
        f"""
        UPDATE turn SET answer = $3, answered_by = coalesce($7, answered_by),
               first_text_at = CASE WHEN $3 = '' THEN first_text_at ELSE coalesce(first_text_at, $5) END,
               lease_until = now() + make_interval(secs => $6)
        WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING cancel_requested, {_UNWATCHED}
        """,  # noqa: S608
        [right.id, right.ep, text, limits.unwatched_seconds, now, limits.turn_lease_seconds, answered_by],
    )
    return Flushed(rows[0]["cancel_requested"], rows[0]["unwatched"]) if rows else None


async def finish(
    right: Claim,
    text: str,
    cards: Sequence[dict[str, Any]],
    how: events.Finish,
    account: Account,
    now: datetime,
) -> list[Event] | None:
    """End a turn with its last text and cards; the events written, or None when the claim is lost."""
    async with db.in_transaction() as connection:
        await hold(connection, right.conversation)
        return await _finish(connection, right, text, cards, how, account, now)


async def _finish(
    connection: BaseDBAsyncClient,
    right: Claim,
    text: str,
    cards: Sequence[dict[str, Any]],
    how: events.Finish,
    account: Account | None,
    now: datetime,
) -> list[Event] | None:
    rows = await connection.execute_query_dict(
        """
        UPDATE turn SET status = 'done', running_key = NULL, lease_until = NULL, finish = $3, answer = $4, cards = $5,
               finished_at = $6
        WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING id
        """,
        [right.id, right.ep, how, text, orjson.dumps(list(cards)).decode(), now],
    )
    if not rows:
        return None
    if account is not None:
        await _keep_account(connection, right.id, account)
    payloads = [events.cards(right.turn, list(cards))] if cards else []
    return await append(connection, right.conversation, [*payloads, events.done(right.turn, right.ep, text, how)], now)


async def _keep_account(connection: BaseDBAsyncClient, turn: int, account: Account) -> None:
    await connection.execute_query(
        """
        UPDATE turn SET answered_by = $2, model = $3, input_tokens = $4, output_tokens = $5, cost_micros = $6,
               first_text_ms = $7, total_ms = $8, fallback_cause = $9, fallback_detail = $10
        WHERE id = $1
        """,
        [
            turn, account.answered_by, account.model, account.input_tokens, account.output_tokens,
            None if account.cost is None else round(account.cost), account.first_text_ms, account.total_ms,
            account.fallback_cause, account.fallback_detail,
        ],
    )  # fmt: skip
    for held in account.withheld:
        await connection.execute_query(
            "INSERT INTO withheld (turn_id, sentence, kind, claim) VALUES ($1, $2, $3, $4)",
            [turn, held.sentence[:LONGEST_SENTENCE], held.kind, held.claimed[:LONGEST_DETAIL]],
        )


async def release(right: Claim, text: str, answered_by: str | None, now: datetime) -> None:
    """Keep the text so far and let any other node take the turn over at once."""
    await db.client().execute_query(
        """
        UPDATE turn SET answer = $3, answered_by = coalesce($4, answered_by), lease_until = now(),
               first_text_at = CASE WHEN $3 = '' THEN first_text_at ELSE coalesce(first_text_at, $5) END
        WHERE id = $1 AND fence = $2 AND status = 'running'
        """,
        [right.id, right.ep, text, answered_by, now],
    )


async def request_cancel(conversation: uuid.UUID, turn: uuid.UUID) -> None:
    """Ask whoever produces ``turn`` to stop; a finished turn is left as it is.

    Raises:
        TurnRefused: there is no such turn.
    """
    rows = await db.client().execute_query_dict(
        """
        UPDATE turn SET cancel_requested = cancel_requested OR status = 'running'
        WHERE conversation_id = $1 AND client_id = $2 RETURNING id
        """,
        [conversation, turn],
    )
    if not rows:
        raise TurnRefused("unknown_turn")


async def vote(conversation: uuid.UUID, turn: uuid.UUID, value: int, now: datetime) -> list[Event]:
    """Keep what the customer thinks of an answer; no event when it was so already.

    Raises:
        TurnRefused: there is no such finished turn.
    """
    async with db.in_transaction() as connection:
        await hold_open(connection, conversation, now)
        rows = await connection.execute_query_dict(
            "SELECT id, vote FROM turn WHERE conversation_id = $1 AND client_id = $2 AND status = 'done'",
            [conversation, turn],
        )
        if not rows:
            raise TurnRefused("unknown_turn")
        if (rows[0]["vote"] or 0) == value:
            return []
        await connection.execute_query("UPDATE turn SET vote = $2 WHERE id = $1", [rows[0]["id"], value])
        return await append(connection, conversation, [events.vote(str(turn), value)], now)


async def orphans(limit: int) -> list[tuple[int, uuid.UUID]]:
    """Running turns whose producer's lease is over, with their conversations."""
    rows = await db.client().execute_query_dict(
        """
        SELECT id, conversation_id FROM turn
        WHERE running_key IS NOT NULL AND lease_until < now() ORDER BY lease_until LIMIT $1
        """,
        [limit],
    )
    return [(row["id"], row["conversation_id"]) for row in rows]
