"""What one client has been sent, and so which frame is due next: durable events strictly by number, text between."""

from dataclasses import dataclass
from typing import Any

from chatbot import events
from chatbot.conversations import ConversationGone, Event, events_after
from chatbot.rooms import Room


@dataclass
class Sent:
    """How much of one answer the client has."""

    turn: str
    ep: int
    off: int


class Cursor:
    """A client's place in a room; ``resumed`` says whether what it has is still worth something."""

    def __init__(self, room: Room, last_seq: int, partial: events.Partial | None) -> None:
        self._room = room
        self.resumed = 0 < last_seq <= room.seq
        self.seq = last_seq if self.resumed else 0
        self._sent: Sent | None = None
        answer = room.answer
        if self.resumed and partial is not None:
            self._sent = Sent(str(partial.msg), partial.ep, partial.off)
        elif answer is not None and not answer.whole:
            # If the client has not seen the answer's start, that comes first and sets this anew.
            self._sent = Sent(answer.turn, answer.ep, 0)

    async def next(self) -> dict[str, Any] | None:
        """The next frame for the client, or None when it has everything.

        Raises:
            ConversationGone: what should come next is not there any more.
        """
        if self.seq >= self._room.seq:
            return self._slice()
        event = self._room.event(self.seq + 1)
        if event is None:
            return await self._log()
        if event.payload["t"] in {"cards", "done"} and (text := self._slice()) is not None:
            return text
        if event.payload["t"] == "done" and not self._has_all(event):
            [event] = await self._read(event.seq)
        self._advance(event)
        return event.frame(with_text=True)

    async def _log(self) -> dict[str, Any]:
        found = await self._read(self._room.seq)
        for event in found:
            self._advance(event)
        return {
            "t": "log",
            "items": [event.frame(with_text=True) for event in found],
            "more": self.seq < self._room.seq,
        }

    async def _read(self, until: int) -> list[Event]:
        """The events that are due, of which there is at least one.

        Raises:
            ConversationGone: there are none any more.
        """
        found = await events_after(self._room.conversation, self.seq, until)
        if not found:
            raise ConversationGone("The conversation was erased.")
        return found

    def _advance(self, event: Event) -> None:
        self.seq = event.seq
        if event.payload["t"] == "start":
            self._sent = Sent(event.payload["msg"], event.payload["ep"], 0)
        elif event.payload["t"] == "done":
            self._sent = None

    def _has_all(self, event: Event) -> bool:
        sent, payload = self._sent, event.payload
        if sent is None or (sent.turn, sent.ep) != (payload["msg"], payload["ep"]):
            return False
        return sent.off >= int(payload["len"])

    def _slice(self) -> dict[str, Any] | None:
        sent, answer = self._sent, self._room.answer
        if sent is None or answer is None or (sent.turn, sent.ep) != (answer.turn, answer.ep):
            return None
        text = answer.text[sent.off : sent.off + events.MAX_SLICE]
        if not text:
            return None
        frame = events.delta(sent.turn, sent.ep, sent.off, text)
        sent.off += len(text)
        return frame
