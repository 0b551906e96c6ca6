"""A node of the assistant in a process of its own that answers slowly, so that the fault tests can kill it."""

import asyncio

from chatbot.limits import Limits
from tests.chatbot.node_program import run_node
from tests.chatbot.sources import telling

LIMITS = Limits(turn_lease_seconds=1, turn_renew_seconds=0.3)

if __name__ == "__main__":
    asyncio.run(run_node(LIMITS, telling("slow words ", pause=0.2, times=200)))
