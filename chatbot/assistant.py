"""Produces answers: one task a turn, detached from any socket, holding a lease and telling every node its text."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from chatbot import turns
from chatbot.account import Account
from chatbot.conversations import Event
from chatbot.events import Finish
from chatbot.fanout import Fanout, Message
from chatbot.limits import Limits
from chatbot.turns import Claim, TakenOver
from recovery import db
from recovery.runtime import Runtime

RETRY_SECONDS = 0.5

log = structlog.get_logger()


@dataclass(frozen=True)
class Cards:
    """Products beside an answer, as the page shows them."""

    items: list[dict[str, Any]]


Piece = str | Cards | Account


@dataclass(frozen=True)
class Source:
    """Where answers come from: ``answer`` yields pieces of text and at most one ``Cards``.

    One that has more to say of its answer, and how it ended, yields its ``Account`` before anything else. It is closed
    when its answer is cancelled or late, and still writes what it knows into the account then.
    """

    name: str
    answer: Callable[[Claim], AsyncGenerator[Piece, None]]


class ClaimLost(Exception):
    """Another node produces the turn now, or it has ended."""


class Production:
    """One answer being written."""

    def __init__(self, right: Claim, source: Source, fanout: Fanout, limits: Limits, runtime: Runtime) -> None:
        self.right = right
        self._source = source
        self._fanout = fanout
        self._limits = limits
        self._runtime = runtime
        self._account = Account(source.name)
        # What counts is how long the customer has waited; a question that was taken over has waited for another.
        waited = (runtime.now() - right.asked_at).total_seconds() if right.ep == 1 else 0.0
        self._asked_at = time.monotonic() - max(0.0, waited)
        self._text = ""
        self._cards: list[dict[str, Any]] = []
        self._flushed_bytes = 0
        self._flushed_at = time.monotonic()
        self._flushing = asyncio.Lock()
        self._cancel = asyncio.Event()
        self._unwatched = False

    def cancel(self) -> None:
        """Stop writing; what is written stays."""
        self._cancel.set()

    async def run(self) -> None:
        """Write the answer to its end; on cancellation of the task keep what there is and give the turn away."""
        writing = asyncio.create_task(self._write(), name=f"write {self.right.turn}")
        try:
            how = await self._watch_over(writing)
            await self._stop(writing)
            await self._end(how)
        except ClaimLost:
            log.warning("turn.lost", turn=self.right.turn, ep=self.right.ep)
        except asyncio.CancelledError:
            await self._stop(writing)
            with contextlib.suppress(*db.UNAVAILABLE):
                await turns.release(self.right, self._text, self._account.answered_by, self._runtime.now())
            raise
        finally:
            await self._stop(writing)

    async def _stop(self, writing: asyncio.Task[None]) -> None:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)

    async def _write(self) -> None:
        async with contextlib.aclosing(self._source.answer(self.right)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Account):
                    self._account = piece
                elif isinstance(piece, Cards):
                    self._cards = piece.items
                else:
                    await self._say(piece)

    async def _say(self, piece: str) -> None:
        if piece and self._account.first_text_ms is None:
            self._account.first_text_ms = self._waited_ms()
        offset, self._text = len(self._text), self._text + piece
        if self._due():
            await self._flush()
        await self._fanout.publish(
            str(self.right.conversation),
            {"k": "d", "turn": self.right.turn, "ep": self.right.ep, "off": offset, "x": piece},
        )

    def _waited_ms(self) -> int:
        return round((time.monotonic() - self._asked_at) * 1000)

    def _due(self) -> bool:
        """Whether the text must be kept before more of it is shown: at its first piece, every 1 KB, every second."""
        return (
            self._flushed_bytes == 0
            or len(self._text.encode()) - self._flushed_bytes >= self._limits.flush_bytes
            or time.monotonic() - self._flushed_at >= self._limits.flush_seconds
        )

    async def _flush(self) -> None:
        async with self._flushing:
            text = self._text
            flushed = await self._insist(
                lambda: turns.flush(self.right, text, self._account.answered_by, self._limits, self._runtime.now())
            )
            if flushed is None:
                raise ClaimLost
            if flushed.cancelled:
                self.cancel()
            self._unwatched = flushed.unwatched
            self._flushed_bytes, self._flushed_at = len(text.encode()), time.monotonic()

    async def _insist(self, statement: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        """Run a statement until the database answers; the turn's own deadline ends the waiting."""
        while True:
            try:
                return await statement()
            except db.UNAVAILABLE as error:
                log.warning("turn.database_away", turn=self.right.turn, error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _watch_over(self, writing: asyncio.Task[None]) -> Finish:
        """Wait for the text, renew the lease, notice a cancel; how the answer ends."""
        until = time.monotonic() + self._limits.turn_seconds
        cancelled = asyncio.create_task(self._cancel.wait())
        try:
            while not writing.done() and not self._cancel.is_set():
                if time.monotonic() >= until or self._unwatched:
                    return self._broken_off()
                await asyncio.wait(
                    {writing, cancelled},
                    timeout=self._limits.flush_seconds,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                await self._keep_up(until)
        except TimeoutError:
            return self._broken_off()
        finally:
            cancelled.cancel()
        if not writing.done():
            return "cancelled"
        return self._outcome(writing)

    async def _keep_up(self, until: float) -> None:
        unwritten = len(self._text.encode()) > self._flushed_bytes
        waited = time.monotonic() - self._flushed_at
        if waited >= (self._limits.flush_seconds if unwritten else self._limits.turn_renew_seconds):
            async with asyncio.timeout(max(0.0, until - time.monotonic())):
                await self._flush()

    def _outcome(self, writing: asyncio.Task[None]) -> Finish:
        error = writing.exception()
        if isinstance(error, ClaimLost):
            raise error
        if error is not None:
            # The edge where any failure of a source becomes an end that the customer can read.
            log.error("turn.failed", turn=self.right.turn, source=self._source.name, exc_info=error)
            return self._broken_off()
        return self._account.ending

    def _broken_off(self) -> Finish:
        return "cut" if self._text else "error"

    async def _end(self, how: Finish) -> None:
        cards = self._cards if how in {"stop", "fallback"} else []
        self._account.total_ms = self._waited_ms()
        # After its lease the turn is another's to end.
        async with asyncio.timeout(self._limits.turn_lease_seconds):
            written = await self._insist(
                lambda: turns.finish(self.right, self._text, cards, how, self._account, self._runtime.now())
            )
        if written is None:
            raise ClaimLost
        await publish_events(self._fanout, self.right.conversation, written)


class Assistant:
    """Every answer this node writes now."""

    def __init__(self, node: str, source: Source, fanout: Fanout, limits: Limits, runtime: Runtime) -> None:
        self._node = node
        self._source = source
        self._fanout = fanout
        self._limits = limits
        self._runtime = runtime
        self._tasks: set[asyncio.Task[None]] = set()
        self._running: dict[tuple[str, str], Production] = {}

    def receive(self, conversation: str, message: Message) -> None:
        """Take the word that an answer is to be cancelled."""
        production = self._running.get((conversation, message["turn"])) if message["k"] == "c" else None
        if production is not None:
            production.cancel()

    def begin(self, turn: int, conversation: uuid.UUID) -> None:
        """Answer a stored question, in a task of its own."""
        self._start(turns.claim(turn, conversation, self._node, self._limits, self._runtime.now()))

    def take_over(self, turn: int, conversation: uuid.UUID) -> None:
        """Take a turn whose producer is gone, in a task of its own."""
        if any(production.right.id == turn for production in self._running.values()):
            # It is only late: the database was away for longer than the lease.
            return
        self._start(turns.take_over(turn, conversation, self._node, self._limits, self._runtime.now()))

    def _start(self, claiming: Coroutine[Any, Any, TakenOver | None]) -> None:
        task = asyncio.create_task(self._produce(claiming), name="turn")
        self._tasks.add(task)
        task.add_done_callback(self._settled)

    def _settled(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("turn.crashed", exc_info=error)

    async def _produce(self, claiming: Coroutine[Any, Any, TakenOver | None]) -> None:
        try:
            taken = await claiming
        except db.UNAVAILABLE as error:
            # The turn stays in its row and is taken over once its lease is over.
            log.warning("turn.unclaimed", error=type(error).__name__)
            return
        if taken is None:
            return
        right = taken.claim
        if right is None:
            await publish_events(self._fanout, taken.conversation, taken.written)
            return
        key = (str(right.conversation), right.turn)
        production = self._running[key] = Production(right, self._source, self._fanout, self._limits, self._runtime)
        try:
            # Joined so that a cancel from another node is heard even when no socket is here.
            await self._fanout.join(key[0])
            await publish_events(self._fanout, right.conversation, taken.written)
            await production.run()
        except db.UNAVAILABLE as error:
            log.warning("turn.unfinished", turn=right.turn, error=type(error).__name__)
        finally:
            del self._running[key]
            await self._fanout.leave(key[0])

    async def close(self) -> None:
        """Let running answers come to their end for a while, then keep what there is and give them away."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._limits.drain_seconds)
        left = list(self._tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


async def publish_events(fanout: Fanout, conversation: uuid.UUID, written: list[Event]) -> None:
    """Tell every node of durable events, after their commit."""
    await fanout.publish(
        str(conversation), *({"k": "e", "seq": event.seq, "payload": event.payload} for event in written)
    )
