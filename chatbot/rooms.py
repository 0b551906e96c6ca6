"""What this node knows of each conversation it shows: its last events and the answer that grows, kept free of holes.

A room is made from a snapshot of the database after its subscription is confirmed, and fed by messages: durable events
(``{"k": "e", "seq", "payload"}``), slices of text (``{"k": "d", "turn", "ep", "off", "x"}``) and ``{"k": "look"}``.
Whatever is already known is dropped, whatever leaves a hole is not shown but makes the room read the database.
"""

import asyncio
import uuid
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from chatbot.conversations import ConversationGone, Event, Snapshot, events_after, snapshot
from chatbot.fanout import Fanout, Message
from recovery import db

#: Events a room keeps for its sockets; who is further behind reads the database.
KEPT_EVENTS = 64
#: Slices beyond a hole that are kept until it is filled; more are dropped and read from the database.
KEPT_SLICES = 256
MEND_SECONDS = 0.25

log = structlog.get_logger()


class Listener(Protocol):
    """A socket in a room."""

    def wake(self) -> None:
        """The room knows more."""
        ...

    def end(self, code: int) -> None:
        """Leave, with this close code."""
        ...


@dataclass
class Answer:
    """The text of the newest answer as far as it is known here; ``whole`` once it is done."""

    turn: str
    ep: int
    text: str = ""
    whole: bool = False
    ahead: list[Message] = field(default_factory=list)

    def add(self, slice_: Message) -> bool:
        """Take a slice; False when it begins beyond what is known."""
        offset, text = slice_["off"], slice_["x"]
        if offset > len(self.text):
            if len(self.ahead) < KEPT_SLICES:
                self.ahead.append(slice_)
            return False
        self.text += text[len(self.text) - offset :] if offset + len(text) > len(self.text) else ""
        return True

    def extend(self, text: str) -> bool:
        """Take the text so far from the database, then the slices that were ahead; False if a hole is left."""
        if len(text) > len(self.text):
            self.text = text
        ahead, self.ahead = self.ahead, []
        for slice_ in sorted(ahead, key=lambda slice_: int(slice_["off"])):
            self.add(slice_)
        return not self.ahead


class Room:
    """One conversation on this node; ``seq`` is the last event known without a hole.

    ``mark`` is what the watch knows of the cart's state since which there are no news.
    """

    def __init__(self, conversation: uuid.UUID) -> None:
        self.conversation = conversation
        self.listeners: set[Listener] = set()
        self.seq = 0
        self.answer: Answer | None = None
        self.loading: asyncio.Task[None] | None = None
        self.mark: str | None = None
        self._loaded = False
        self._events: deque[Event] = deque(maxlen=KEPT_EVENTS)
        self._early: list[Message] = []
        self._mending: asyncio.Task[None] | None = None
        self._behind = False

    async def load(self, fanout: Fanout) -> None:
        """Subscribe (confirmed), buffer what arrives, then take a snapshot.

        Raises:
            ConversationGone: it does not exist any more.
        """
        await fanout.join(str(self.conversation))
        self._begin(await snapshot(self.conversation))

    def _begin(self, state: Snapshot) -> None:
        self.seq = state.seq
        if state.turn is not None:
            self.answer = Answer(state.turn, state.ep, state.answer)
        early, self._early = self._early, []
        self._loaded = True
        for message in early:
            self.receive(message)

    def event(self, seq: int) -> Event | None:
        """The event numbered ``seq`` if it is kept here."""
        first = self._events[0].seq if self._events else self.seq + 1
        return self._events[seq - first] if first <= seq <= self.seq else None

    def receive(self, message: Message) -> None:
        """Take a message; never waits."""
        if not self._loaded:
            self._early.append(message)
            return
        kind = message["k"]
        if kind == "e":
            whole = self.apply(Event(message["seq"], message["payload"]))
        elif kind == "d":
            whole = self._slice(message)
        else:
            whole = kind != "look"
        if not whole:
            self.mend()
        self._wake()

    def apply(self, event: Event) -> bool:
        """Take an event; False when something before it is missing."""
        if event.seq <= self.seq:
            return True
        if event.seq > self.seq + 1 or not self._follow(event):
            return False
        self._events.append(event)
        self.seq = event.seq
        return True

    def _follow(self, event: Event) -> bool:
        payload = event.payload
        if payload["t"] == "start":
            self.answer = Answer(payload["turn"], payload["ep"])
        elif payload["t"] == "done":
            answer = self.answer
            if answer is None or answer.turn != payload["msg"] or answer.ep != payload["ep"]:
                # A turn that was taken over only to be ended: its start is older than its end.
                answer = Answer(payload["msg"], payload["ep"])
            if event.text is not None:
                answer.text = event.text
            if len(answer.text) < payload["len"]:
                return False
            answer.text, answer.whole = answer.text[: payload["len"]], True
            self.answer = answer
        return True

    def _slice(self, message: Message) -> bool:
        answer = self.answer
        if answer is None or answer.turn != message["turn"] or answer.ep < message["ep"]:
            return False
        if answer.ep > message["ep"] or answer.whole:
            return True
        return answer.add(message)

    def mend(self) -> None:
        """Read from the database what is missing here, in a task of its own."""
        self._behind = True
        if self._mending is None or self._mending.done():
            self._mending = asyncio.create_task(self._mend(), name=f"mend {self.conversation}")

    async def _mend(self) -> None:
        while self.listeners:
            # Set again by what arrives while the database is read, which may be newer than what was read.
            self._behind = False
            try:
                whole = await self._look()
            except ConversationGone:
                return
            except db.UNAVAILABLE as error:
                log.warning("room.unread", conversation=str(self.conversation), error=type(error).__name__)
                whole = False
            self._wake()
            if whole and not self._behind:
                return
            await asyncio.sleep(MEND_SECONDS)

    async def _look(self) -> bool:
        while found := await events_after(self.conversation, self.seq):
            if not all(self.apply(event) for event in found):
                return False
        state = await snapshot(self.conversation)
        answer = self.answer
        if answer is None or answer.whole or (answer.turn, answer.ep) != (state.turn, state.ep):
            return state.seq <= self.seq
        return answer.extend(state.answer) and state.seq <= self.seq

    def _wake(self) -> None:
        for listener in self.listeners:
            listener.wake()

    async def close(self) -> None:
        """Stop reading."""
        tasks = [task for task in (self.loading, self._mending) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Rooms:
    """Every room of this node, each there as long as a socket is in it."""

    def __init__(self) -> None:
        self._rooms: dict[str, Room] = {}

    def receive(self, conversation: str, message: dict[str, Any]) -> None:
        """Hand a message to its room, if there is one."""
        room = self._rooms.get(conversation)
        if room is not None:
            room.receive(message)

    def get(self, conversation: str) -> Room | None:
        """The room of a conversation, if a socket is in it."""
        return self._rooms.get(conversation)

    def all(self) -> list[Room]:
        """Every room."""
        return list(self._rooms.values())

    async def enter(self, conversation: uuid.UUID, listener: Listener, fanout: Fanout) -> Room:
        """Join a conversation; whether it works or not, ``leave`` follows.

        Raises:
            ConversationGone: it does not exist any more.
        """
        room = self._rooms.setdefault(str(conversation), Room(conversation))
        room.listeners.add(listener)
        if room.loading is None:
            # A task of the room's own: the socket that came first may go away while others wait.
            room.loading = asyncio.create_task(room.load(fanout), name=f"load {conversation}")
        await asyncio.shield(room.loading)
        return room

    async def leave(self, conversation: uuid.UUID, listener: Listener, fanout: Fanout) -> None:
        """Leave a conversation; the last one out closes the room."""
        key = str(conversation)
        room = self._rooms.get(key)
        if room is None or listener not in room.listeners:
            return
        room.listeners.discard(listener)
        if not room.listeners:
            del self._rooms[key]
            await room.close()
            await fanout.leave(key)
