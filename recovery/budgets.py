"""Hard ceilings on what language models may cost: tokens are reserved in the database before a call and settled after.

    reservation = await reserve(budgets, request.estimate, now)       # LlmRefusedBudget: nothing is asked
    try: ... the call ...
    finally: await settle(reservation, usage.total)                   # None when the server did not count: all of it

A crash in between leaks the reservation for LEASE_SECONDS at most; then the next one that needs the room takes it back,
or whoever takes over what it was for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import orjson

from recovery import db
from recovery.llm_errors import LlmRefusedBudget

CONVERSATION_TOKENS = 60_000
STORE_DAY_TOKENS = 2_000_000
BATCH_DAY_TOKENS = 1_000_000
#: Longer than any call may take, and short enough that what a crash leaks is back within ten minutes.
LEASE_SECONDS = 300

# One row per budget, made by its first reservation; the condition and the change are one statement.
_RESERVE = """
INSERT INTO llm_budget AS b (key, cap, used, reserved, changed_at)
SELECT $1, $2::bigint, 0, $3::bigint, $4::timestamptz WHERE $3 <= $2
ON CONFLICT (key) DO UPDATE SET reserved = b.reserved + $3, cap = $2, changed_at = $4
 WHERE b.used + b.reserved + $3 <= $2
RETURNING key
"""
_NOTE = """
INSERT INTO llm_reservation (id, keys, tokens, until) VALUES ($1, $2, $3, now() + make_interval(secs => $4))
"""
_TAKE_BACK = "DELETE FROM llm_reservation WHERE id = $1 RETURNING tokens"
_TAKE_BACK_LEAKED = """
DELETE FROM llm_reservation WHERE id IN (SELECT id FROM llm_reservation WHERE until <= now() FOR UPDATE SKIP LOCKED)
RETURNING keys, tokens
"""
_TAKE_BACK_ALL = "DELETE FROM llm_reservation WHERE keys ? $1 RETURNING keys, tokens"
_SETTLE = "UPDATE llm_budget SET reserved = reserved - $2, used = used + $3 WHERE key = $1"


@dataclass(frozen=True)
class Budget:
    """A ceiling by name."""

    key: str
    cap: int


@dataclass(frozen=True)
class Reservation:
    """The right to use ``tokens`` of every one of ``keys``."""

    id: UUID
    keys: tuple[str, ...]
    tokens: int


def of_conversation(conversation: object) -> Budget:
    """What one conversation may use in its whole life."""
    return Budget(f"conversation:{conversation}", CONVERSATION_TOKENS)


def of_store(store_id: int, now: datetime) -> Budget:
    """What one store may use on the day of ``now`` (UTC)."""
    return Budget(f"store:{store_id}:{now.date()}", STORE_DAY_TOKENS)


def of_batch(store_id: int, now: datetime) -> Budget:
    """What the sweeps may use for one store on the day of ``now`` (UTC), within what the store may use."""
    return Budget(f"batch:{store_id}:{now.date()}", BATCH_DAY_TOKENS)


async def reserve(budgets: Sequence[Budget], tokens: int, now: datetime) -> Reservation:
    """Reserve ``tokens`` in every one of ``budgets``, or in none.

    Raises:
        LlmRefusedBudget: one of them has too little left.
    """
    try:
        return await _reserve(budgets, tokens, now)
    except LlmRefusedBudget:
        if not await release_leaked():
            raise
        return await _reserve(budgets, tokens, now)


async def settle(reservation: Reservation, used: int | None) -> None:
    """Turn a reservation into what was really used: 0 if nothing was asked, all of it if nobody counted (None)."""
    async with db.in_transaction() as connection:
        rows = await connection.execute_query_dict(_TAKE_BACK, [reservation.id])
        # None if it outlived its lease and was taken back: what was used counts all the same.
        returned = reservation.tokens if rows else 0
        await _settle(connection, reservation.keys, returned, reservation.tokens if used is None else used)


async def release_leaked() -> int:
    """Give back what crashed processes had reserved; how many reservations."""
    return await _give_back(_TAKE_BACK_LEAKED, [])


async def release_all(budget: Budget) -> int:
    """Give back every reservation within a budget that has one user at a time, and that one is gone; how many.

    If it only slept, what it used counts when it settles.
    """
    return await _give_back(_TAKE_BACK_ALL, [budget.key])


async def _give_back(statement: str, values: list[Any]) -> int:
    async with db.in_transaction() as connection:
        rows = await connection.execute_query_dict(statement, values)
        leaked: dict[str, int] = {}
        for row in rows:
            for key in orjson.loads(row["keys"]):
                leaked[key] = leaked.get(key, 0) + row["tokens"]
        for key in sorted(leaked):
            await connection.execute_query(_SETTLE, [key, leaked[key], 0])
    return len(rows)


async def _reserve(budgets: Sequence[Budget], tokens: int, now: datetime) -> Reservation:
    reservation = Reservation(uuid4(), tuple(sorted({budget.key for budget in budgets})), tokens)
    caps = {budget.key: budget.cap for budget in budgets}
    async with db.in_transaction() as connection:
        # Always in the same order, or two calls could wait for each other.
        for key in reservation.keys:
            if not await connection.execute_query_dict(_RESERVE, [key, caps[key], tokens, now]):
                raise LlmRefusedBudget(key)
        keys = orjson.dumps(reservation.keys).decode()
        await connection.execute_query(_NOTE, [reservation.id, keys, tokens, LEASE_SECONDS])
    return reservation


async def _settle(connection: Any, keys: Sequence[str], returned: int, used: int) -> None:
    for key in keys:  # sorted by reserve
        await connection.execute_query(_SETTLE, [key, returned, used])
