"""A node of the assistant in a process of its own that asks the store's model, so that the fault tests can kill it."""

import asyncio

from chatbot.limits import Limits
from tests.chatbot.node_program import run_node

LIMITS = Limits(turn_lease_seconds=1, turn_renew_seconds=0.3, first_text_seconds=30, next_text_seconds=30)

if __name__ == "__main__":
    asyncio.run(run_node(LIMITS))
