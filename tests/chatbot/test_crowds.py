"""Crowds: what idle sockets cost, and that clients which never read neither stay nor slow down the others."""

import asyncio
import resource
import statistics
import time
import uuid
from asyncio.subprocess import Process
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chatbot.models import Conversation
from recovery.runtime import Runtime
from recovery.tokens import new_jti, sign_session
from tests.chatbot.client import Client
from tests.chatbot.conftest import PUBLIC_URL, wait_until
from tests.chatbot.crowded_node import LONG
from tests.chatbot.node_program import node_process
from tests.chatbot.rows import Shop

pytestmark = [
    pytest.mark.large,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system is not Linux"),
]

IDLE = 2000
#: The growth of the process for each socket that only waits; measured 38.8 kB, of which a good half is uvicorn's.
IDLE_BYTES = 45_000
SILENT = 200
GOOD = 30
#: Fewer than a customer may ask in a minute.
ASKED_EACH = 10
PAIRS = 5
#: How much slower the first text may come to good clients while silent ones hang about.
SLOWER = 1.2
AT_ONCE = 50
#: Of the kernel's table of connections.
LISTENING, WAITING_OUT = "0A", "06"


@pytest.fixture(autouse=True)
def many_files() -> None:
    """Let this process, and so the node it starts, hold that many sockets."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def talks(runtime: Runtime, shop: Shop, count: int) -> list[dict[str, Any]]:
    """Fresh conversations about one cart, each as its page would get it."""
    now = runtime.now()
    rows = [
        Conversation(
            id=uuid.uuid4(), store_id=shop.store.id, cart_id=shop.cart.id, link_jti=new_jti(), language="en",
            created_at=now, expires_at=shop.link.expires_at,
        )
        for _ in range(count)
    ]  # fmt: skip
    await Conversation.bulk_create(rows, batch_size=500)
    return [{"conv": str(row.id), "session": sign_session(runtime.keys, str(row.id), now)} for row in rows]


async def join(stack: AsyncExitStack, base: str, opened: dict[str, Any], buffer: int | None = None) -> Client:
    """A client in its conversation, until the stack ends."""
    client = await stack.enter_async_context(Client(base, origin=PUBLIC_URL, receive_buffer=buffer))
    await client.hello(opened)
    return client


def memory(process: Process) -> int:
    """Resident bytes of a process."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def held(base: str) -> int:
    """Connections of clients that this machine still keeps for the node; those that only wait out their time don't
    count."""
    port = f":{urlsplit(base).port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and row[3] not in {LISTENING, WAITING_OUT} for row in rows)


async def test_an_idle_socket_costs_little_and_none_is_leaked(runtime: Runtime, shop: Shop) -> None:
    async with node_process(runtime, "crowded_node") as (process, base), AsyncExitStack() as stack:
        warm = await talks(runtime, shop, AT_ONCE)
        async with AsyncExitStack() as first:
            await asyncio.gather(*(join(first, base, opened) for opened in warm))
        before = memory(process)
        opened = await talks(runtime, shop, IDLE)
        clients: list[Client] = []
        for at in range(0, IDLE, AT_ONCE):
            clients += await asyncio.gather(*(join(stack, base, one) for one in opened[at : at + AT_ONCE]))
        each = (memory(process) - before) / IDLE
        print(f"\n{IDLE} idle sockets: {each:,.0f} bytes each")  # noqa: T201 - this figure is what the test is for
        assert each <= IDLE_BYTES
        for client in clients:
            client.socket.transport.abort()
        async with asyncio.timeout(60):
            await wait_until(lambda: held(base) == 0)


async def test_clients_that_never_read_neither_stay_nor_slow_down_others(runtime: Runtime, shop: Shop) -> None:
    async with node_process(runtime, "crowded_node") as (_, base), AsyncExitStack() as stack:
        opened = await talks(runtime, shop, GOOD)
        good = [await join(stack, base, one) for one in opened]
        await first_texts(good)
        silent: list[Client] = []
        ratios = []
        for _ in range(PAIRS):
            alone = await first_texts([await join(stack, base, one) for one in await talks(runtime, shop, GOOD)])
            silent += await be_silent(base, await talks(runtime, shop, SILENT // PAIRS))
            beside = await first_texts([await join(stack, base, one) for one in await talks(runtime, shop, GOOD)])
            ratios.append(percentile(beside) / percentile(alone))
        told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"\nfirst text beside {SILENT} silent clients, p99 against alone: {told}")  # noqa: T201 - likewise
        async with asyncio.timeout(60):
            await wait_until(lambda: held(base) == GOOD * (2 * PAIRS + 1))
        for client in silent:
            client.socket.transport.abort()
        assert statistics.median(ratios) <= SLOWER


async def be_silent(base: str, opened: list[dict[str, Any]]) -> list[Client]:
    """Clients that ask for much and read nothing of it, once the node has filled what the kernel takes."""
    clients = []
    for one in opened:
        client = await Client(base, origin=PUBLIC_URL, receive_buffer=4096).__aenter__()
        await client.hello(one)
        await client.ask(LONG)
        client.socket.transport.pause_reading()
        clients.append(client)
    await asyncio.sleep(6)
    return clients


async def first_texts(clients: list[Client]) -> list[float]:
    """Milliseconds from a question to its first text, of several questions of each client, one after another."""
    found = []
    for _ in range(ASKED_EACH):
        for client in clients:
            asked = time.perf_counter()
            turn = await client.ask("Does it fit?")
            await client.until("d")
            found.append(1000 * (time.perf_counter() - asked))
            await client.until_done(turn)
    return found


def percentile(values: list[float]) -> float:
    """The 99th."""
    return statistics.quantiles(values, n=100)[98]
