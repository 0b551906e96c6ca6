"""A node of the assistant in a process of its own for crowds: it answers with many words, or with few."""

import asyncio
from collections.abc import AsyncGenerator

from chatbot.assistant import Piece, Source
from chatbot.limits import Limits
from chatbot.turns import Claim
from tests.chatbot.node_program import run_node

#: The crowd comes from one address.
LIMITS = Limits(sockets_per_address=20_000, handshakes_per_minute=0)
LONG = "A long answer, please."
#: More than fits between this node and a client that does not read, whose send buffer is small.
LONG_TEXT = "x" * 100_000


async def say(right: Claim) -> AsyncGenerator[Piece, None]:
    """Many words at once, or few."""
    if right.question == LONG:
        yield LONG_TEXT
    else:
        yield "It fits."


if __name__ == "__main__":
    asyncio.run(run_node(LIMITS, Source("crowded", say), send_buffer=8192))
