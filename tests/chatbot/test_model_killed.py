"""A node that dies or sleeps while a model answers: another node answers, or it is cut; no budget stays taken."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from chatbot.models import Turn
from recovery.models import LlmBudget, LlmReservation
from recovery.runtime import Runtime
from tests.chatbot.client import Client, Transcript
from tests.chatbot.conftest import Node, StartNode, wait_until
from tests.chatbot.model_shop import make_model_shop
from tests.chatbot.node_program import node_process
from tests.chatbot.test_faults import QUICK
from tests.llm_server import LlmServer, LlmThread, Reply, says

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.faults]

HOOD, WARM = "The hood fits over a helmet.", "It is made of recycled polyamide."
SILENT = Reply(fault="hang")
BROKEN_OFF = Reply((f"{HOOD} ", "It is"), fault="stall", after=2)
#: How the first model answer goes, what the customer has in the end, by which producer, and how it ends.
CASES = {
    "nothing shown": (SILENT, WARM, 2, "stop"),
    "a sentence shown": (BROKEN_OFF, HOOD, 1, "cut"),
}


@pytest.fixture
def model() -> Iterator[LlmServer]:
    with LlmThread() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def survivor(start_node: StartNode) -> AsyncIterator[Node]:
    """The node that stays."""
    async with start_node(replace(QUICK, first_text_seconds=8, next_text_seconds=8)) as started:
        yield started


@dataclass(frozen=True)
class Asking:
    """A question that the node in the other process is answering."""

    opened: dict[str, str]
    client: Client
    turn: str


@dataclass(frozen=True)
class Doomed:
    """A node in another process, in the middle of an answer for each of the cases."""

    process: asyncio.subprocess.Process
    cases: dict[str, Asking]


@pytest_asyncio.fixture(loop_scope="module")
async def doomed(survivor: Node, runtime: Runtime, empty: None, model: LlmServer) -> AsyncIterator[Doomed]:
    """The model has begun to answer as each case says; whatever it is asked next it answers."""
    await LlmBudget.all().delete()
    await LlmReservation.all().delete()
    model.behaviour = lambda _: says(WARM)
    async with node_process(runtime, "model_node") as (process, base), AsyncExitStack() as stack:
        cases = {}
        for number, (case, (first, *_)) in enumerate(CASES.items()):
            model.script(first)
            shop = await make_model_shop(runtime, model, name=f"shop-{number}")
            opened = await survivor.open(shop.token)
            client = await stack.enter_async_context(Client(base, Transcript(), survivor.chat.origin))
            await client.hello(opened)
            turn = await client.ask("Does it fit over a helmet?")
            async with asyncio.timeout(10):
                await wait_until(lambda asked=number: len(model.asked) > asked)  # type: ignore[misc]
            if first is not SILENT:
                await client.until("d", 10)
            cases[case] = Asking(opened, client, turn)
        assert await LlmReservation.all().count() == len(CASES)
        yield Doomed(process, cases)


async def reserved() -> list[int]:
    """What is reserved in the conversations' budgets."""
    return [budget.reserved for budget in await LlmBudget.filter(key__startswith="conversation:")]


async def check(case: str, client: Client, asking: Asking) -> None:
    """The customer has what the case says, and the row has the same."""
    _, text, producer, finish = CASES[case]
    assert await client.until_done(asking.turn, 12) == text
    assert client.seen.finished[asking.turn]["finish"] == finish
    assert client.seen.episodes[asking.turn] == producer
    row = await Turn.get(client_id=asking.turn)
    assert (row.finish, row.answer) == (finish, text)


async def test_a_killed_nodes_answer_is_another_nodes(doomed: Doomed, survivor: Node) -> None:
    doomed.process.kill()
    await doomed.process.wait()
    for case, asking in doomed.cases.items():
        async with survivor.client(asking.client.seen) as client:
            await client.hello(asking.opened)
            await check(case, client, asking)
    # Nobody can settle for the dead one; whoever took its turn over has freed its tokens.
    async with asyncio.timeout(5):
        while await LlmReservation.all().count():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await reserved() == [0] * len(CASES)
    day = await LlmBudget.filter(key__startswith="store:")
    assert [budget.reserved for budget in day] == [0] * len(CASES)


async def test_a_node_asleep_past_its_lease_changes_nothing_and_settles_when_it_wakes(
    doomed: Doomed, survivor: Node
) -> None:
    os.kill(doomed.process.pid, signal.SIGSTOP)
    for case, asking in doomed.cases.items():
        async with survivor.client() as client:
            await client.hello(asking.opened)
            await check(case, client, asking)
    os.kill(doomed.process.pid, signal.SIGCONT)
    async with asyncio.timeout(10):
        while await LlmReservation.all().count():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert await reserved() == [0] * len(CASES)
    for case, asking in doomed.cases.items():
        await check(case, asking.client, asking)
