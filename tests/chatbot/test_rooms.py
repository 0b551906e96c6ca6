"""A room on its own: holes are filled from the database, whenever they open."""

import asyncio
import uuid

import pytest

from chatbot import turns
from chatbot.conversations import open_session
from chatbot.fanout import Fanout
from chatbot.limits import Limits
from chatbot.rooms import Room, Rooms
from recovery.runtime import Runtime
from tests.chatbot.conftest import wait_until
from tests.chatbot.rows import Shop

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Tidings:
    """A listener who, when it is woken for the first time, brings word of an event with a hole before it."""

    def __init__(self) -> None:
        self.room: Room | None = None

    def wake(self) -> None:
        """Bring it."""
        room, self.room = self.room, None
        if room is not None:
            room.receive({"k": "e", "seq": room.seq + 2, "payload": {"t": "start"}})

    def end(self, code: int) -> None:
        """Stay."""


async def test_a_hole_that_opens_while_another_is_filled_is_filled_too(shop: Shop, runtime: Runtime) -> None:
    opened = await open_session(runtime, shop.token, runtime.now())
    conversation = opened.conversation.id
    rooms, listener = Rooms(), Tidings()
    # Nobody started it: this is a node without Redis.
    fanout = Fanout("redis://127.0.0.1:1/0", "here", 0.1, rooms.receive)
    room = await rooms.enter(conversation, listener, fanout)
    listener.room = room
    room.mend()
    async with asyncio.timeout(2):
        await wait_until(lambda: listener.room is None)
    asked = await turns.ask(conversation, uuid.uuid4(), "Thanks", Limits(), runtime.now())
    assert asked.id is not None
    await turns.claim(asked.id, conversation, "elsewhere", Limits(), runtime.now())
    async with asyncio.timeout(2):
        await wait_until(lambda: room.seq == 2)
    await rooms.leave(conversation, listener, fanout)
    await fanout.close()
