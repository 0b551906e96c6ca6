"""Looks after the conversations shown on this node: their end, their cart, orphaned turns, and Redis being away."""

import asyncio
import time
from datetime import datetime
from typing import Any

import structlog

from chatbot import events, turns
from chatbot.assistant import Assistant, publish_events
from chatbot.conversations import GONE_CARTS, touch
from chatbot.fanout import Fanout
from chatbot.limits import Limits
from chatbot.news import MARK, tell_news
from chatbot.rooms import Room, Rooms
from recovery import db
from recovery.runtime import Runtime

log = structlog.get_logger()


class Watch:
    """One loop a process, two statements a round however many sockets there are, and more where there may be news."""

    def __init__(self, rooms: Rooms, assistant: Assistant, fanout: Fanout, limits: Limits, runtime: Runtime) -> None:
        self._rooms = rooms
        self._assistant = assistant
        self._fanout = fanout
        self._limits = limits
        self._runtime = runtime
        self._touched_at = 0.0
        self._seen_at = 0.0
        self._telling: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Go on until cancelled."""
        try:
            await self._rounds()
        finally:
            if self._telling is not None:
                self._telling.cancel()
                await asyncio.gather(self._telling, return_exceptions=True)

    async def _rounds(self) -> None:
        while True:
            await asyncio.sleep(min(self._limits.poll_seconds, self._limits.watch_seconds))
            due = time.monotonic() - self._seen_at >= self._limits.watch_seconds
            if due or self._fanout.away:
                try:
                    await self.look(full=due)
                except db.UNAVAILABLE as error:
                    log.warning("watch.database_away", error=type(error).__name__)

    async def look(self, *, full: bool) -> None:
        """One round; only a full one checks what can wait."""
        rooms = {str(room.conversation): room for room in self._rooms.all()}
        if not rooms:
            return
        if full:
            self._seen_at = time.monotonic()
        found = await _states(list(rooms), self._runtime.now())
        for key, room in rooms.items():
            self._compare(room, found.get(key))
        if self._telling is None or self._telling.done():
            # In a task of its own: where many carts have news, nobody's orphaned turn waits for them.
            marked = [(room, found[key]["mark"]) for key, room in rooms.items() if key in found]
            self._telling = asyncio.create_task(self._tell(marked), name="telling news")
        if full:
            await self._touch(list(rooms))

    async def _tell(self, marked: list[tuple[Room, str]]) -> None:
        """Tell what became of the carts whose mark is another than when their news were read last."""
        changed = [(room, mark) for room, mark in marked if room.mark != mark]
        # Whoever has been seen before is told first: a change has just been made there.
        changed.sort(key=lambda one: one[0].mark is None)
        try:
            for room, mark in changed:
                written = await tell_news(room.conversation, self._runtime.now())
                room.mark = mark
                await publish_events(self._fanout, room.conversation, written)
        except db.UNAVAILABLE as error:
            log.warning("watch.database_away", error=type(error).__name__)

    def _compare(self, room: Room, state: dict[str, Any] | None) -> None:
        now = self._runtime.now()
        if state is None or state["status"] != "open" or state["cart"] in GONE_CARTS:
            code = events.CLOSE_GONE
        elif state["expires_at"] <= now or state["revoked_at"] is not None:
            code = events.CLOSE_SESSION_OVER
        else:
            self._catch_up(room, state)
            return
        for listener in list(room.listeners):
            listener.end(code)

    def _catch_up(self, room: Room, state: dict[str, Any]) -> None:
        if state["orphan"]:
            self._assistant.take_over(state["turn"], room.conversation)
        known = len(room.answer.text) if room.answer is not None and not room.answer.whole else 0
        if state["last_seq"] > room.seq or (state["length"] or 0) > known:
            room.mend()
        for listener in room.listeners:
            listener.wake()

    async def _touch(self, conversations: list[str]) -> None:
        if time.monotonic() - self._touched_at >= self._limits.touch_seconds:
            self._touched_at = time.monotonic()
            await touch(conversations)


async def _states(conversations: list[str], now: datetime) -> dict[str, dict[str, Any]]:
    rows = await db.client().execute_query_dict(
        f"""
        SELECT c.id, c.status, c.expires_at, c.last_seq, l.revoked_at, t.id AS turn, length(t.answer) AS length,
               t.lease_until < now() AS orphan, k.status AS cart, {MARK} AS mark
        FROM conversation c JOIN cart k ON k.id = c.cart_id
        LEFT JOIN link_token l ON l.jti = c.link_jti
        LEFT JOIN turn t ON t.running_key = c.id
        WHERE c.id = ANY($1)
        """,  # noqa: S608
        [conversations, now],
    )
    return {str(row["id"]): row for row in rows}


async def sweep_orphans(assistant: Assistant, limit: int) -> int:
    """Take over turns whose producer is gone, whether anybody looks or not; how many there were."""
    found = await turns.orphans(limit)
    for turn, conversation in found:
        assistant.take_over(turn, conversation)
    return len(found)
