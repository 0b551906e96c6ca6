"""A model's server that sends hostile text without measure: its answer is cut, and nobody else waits for it."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio

from chatbot.model_answer import MOST_TEXT
from recovery.runtime import Runtime
from tests.chatbot.conftest import BRISK, Node, StartNode
from tests.chatbot.model_shop import answered, make_model_shop, talk
from tests.chatbot.test_release import HOSTILE
from tests.llm_server import LlmServer, LlmThread, Reply, says

pytestmark = pytest.mark.asyncio(loop_scope="module")

FLOOD = 100_000
#: Of this thread's own time, so that other programs on the machine do not count.
LONGEST_STALL = 0.1
HARMLESS = "It keeps out the wind and sheds the rain. "
#: The gate itself is timed with every one in test_release; here some of each sort go all the way to a socket.
FLOODS = [*HOSTILE[::4], HARMLESS]


@pytest.fixture(scope="module")
def model() -> Iterator[LlmServer]:
    with LlmThread() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def calm(start_node: StartNode) -> AsyncIterator[Node]:
    async with start_node(replace(BRISK, first_text_seconds=20, next_text_seconds=20, drain_seconds=3)) as started:
        yield started


@asynccontextmanager
async def stalls() -> AsyncIterator[list[float]]:
    """The longest time that the loop's thread worked between two turns of the loop, while the block runs."""
    longest = [0.0]
    # Looking through all that the tests have loaded takes longer than what is measured here.
    gc.collect()
    gc.freeze()

    async def beat() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            longest[0] = max(longest[0], time.thread_time() - began)

    beating = asyncio.create_task(beat())
    try:
        yield longest
    finally:
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        gc.unfreeze()


@pytest.mark.parametrize("hostile", FLOODS)
async def test_a_flood_of_text_is_cut_and_holds_nobody_up(
    calm: Node, runtime: Runtime, empty: None, model: LlmServer, hostile: str
) -> None:
    shop = await make_model_shop(runtime, model)
    text = (hostile * FLOOD)[:FLOOD]
    async with talk(calm, shop) as client:
        model.behaviour = lambda _: says(HARMLESS)
        await answered(client, "Is it warm?")  # what is loaded once is loaded
        model.script(Reply(tuple(text[at : at + 50_000] for at in range(0, FLOOD, 50_000))))
        async with stalls() as longest:
            got = await answered(client, "Can I send it back?", 25)
    assert longest[0] <= LONGEST_STALL
    assert got.finish in ("cut", "fallback")
    assert got.row.fallback_detail == f"longer than {MOST_TEXT} characters"
    assert len(got.text) <= MOST_TEXT
    if hostile is HARMLESS:
        assert got.finish == "cut"
        assert len(got.text) > MOST_TEXT - 300
