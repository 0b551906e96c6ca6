"""The chat relay: a model's 25 tokens a second to many customers, against a bare socket without a database."""

import asyncio
import itertools
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import httpx2
from websockets.asyncio.client import ClientConnection, connect

from recovery.runtime import open_runtime
from recovery.stores.registry import save_settings
from tests.bench.place import Place, cpu_seconds, program
from tests.bench.ratios import Costs, Figure, in_pairs, percentile
from tests.bench.upstream import SENTENCE, SENTENCES, TOKENS
from tests.chatbot.client import Client
from tests.chatbot.rows import make_shop
from tests.chatbot.test_crowds import talks

MOST_CPU, MOST_DELAY = 1.3, 2.0
CROWDS = (30, 80)
_TOKENS_A_SENTENCE = len(TOKENS) // SENTENCES

#: Asks with a code; when each sentence was whole on the customer's side, and the first at all.
Ask = Callable[[str], Awaitable[list[float]]]


def asker(client: Client) -> Ask:
    """A customer of ours."""

    async def ask(code: str) -> list[float]:
        turn = await client.ask(f"Tell me about it, code-{code}")
        times: list[float] = []
        while turn not in client.seen.finished:
            await client.receive(30)
            whole = (len(client.seen.texts.get(turn, "")) + 1) // len(SENTENCE)
            times += [time.monotonic()] * (whole - len(times))
        assert client.seen.texts[turn] == (SENTENCE * SENTENCES).strip(), client.seen.texts[turn]
        return times

    return ask


def bare_asker(socket: ClientConnection) -> Ask:
    """A customer of the bare socket."""

    async def ask(code: str) -> list[float]:
        await socket.send(f"Tell me about it, code-{code}")
        times = []
        while await socket.recv():
            times.append(time.monotonic())
        return times

    return ask


def letters(number: int) -> str:
    """A number in letters: digits in an answer or a question may mean something."""
    return "".join(chr(97 + int(digit)) for digit in str(number))


async def talked(
    askers: Sequence[Ask], node: Process, http: httpx2.AsyncClient, numbers: "itertools.count[int]"
) -> Costs:
    """Everybody asks once; CPU of the node a token, and how long after its last token a sentence was there."""
    codes = [letters(next(numbers)) for _ in askers]
    before = cpu_seconds(node)
    asked = time.monotonic()
    told = await asyncio.gather(*(ask(code) for ask, code in zip(askers, codes, strict=True)))
    spent = cpu_seconds(node) - before
    delays, firsts = [], []
    for code, times in zip(codes, told, strict=True):
        stamps = (await http.get(f"/stamps/{code}")).json()
        assert (len(stamps), len(times)) == (len(TOKENS), SENTENCES), (len(stamps), len(times))
        whole = stamps[_TOKENS_A_SENTENCE - 1 :: _TOKENS_A_SENTENCE]
        delays += [1000 * (seen - sent) for seen, sent in zip(times, whole, strict=True)]
        firsts.append(1000 * (times[0] - asked))
    return {
        "cpu": 1e6 * spent / (len(askers) * len(TOKENS)),
        "first": percentile(firsts, 95),
    } | {f"p{percent}": percentile(delays, percent) for percent in (50, 95, 99)}


def figures(crowd: int, found: dict[str, Any]) -> list[Figure]:
    """The lines of one crowd."""
    name = f"{crowd} clients"
    return [
        Figure("relay", f"{name}, CPU a token", "µs", found["cpu"], MOST_CPU),
        *(
            Figure("relay", f"{name}, delay p{p}", "ms", found[f"p{p}"], MOST_DELAY if p == 95 else None)
            for p in (50, 95, 99)
        ),
        Figure("relay", f"{name}, first text p95", "ms", found["first"], None),
    ]


async def ports(*processes: Process) -> list[int]:
    """Where the programs listen."""
    return [int(await process.stdout.readline()) for process in processes if process.stdout is not None]


async def run(place: Place) -> list[Figure]:
    """The case."""
    numbers, found = itertools.count(1), list[Figure]()
    with place.settings() as settings:
        async with (
            open_runtime(settings) as runtime,
            program("upstream") as model,
            program("web_node", str(settings.database_url), str(settings.redis_url)) as web,
            AsyncExitStack() as stack,
        ):
            model_port, web_port = await ports(model, web)
            source = f"http://127.0.0.1:{model_port}"
            bare = await stack.enter_async_context(program("bare_node", f"{source}/v1"))
            (bare_port,) = await ports(bare)
            shop = await make_shop(runtime)
            chosen = {"ai_provider": "openai", "ai_base_url": f"{source}/v1", "ai_model": "model-a", "ai_api_key": "k"}
            await save_settings(runtime.keys.vault, "demo-en/en", chosen)
            http = await stack.enter_async_context(httpx2.AsyncClient(base_url=source))
            for crowd in (2,) if place.small else CROWDS:
                ours, theirs = [], []
                for opened in await talks(runtime, shop, crowd):
                    client = Client(f"http://127.0.0.1:{web_port}", origin=settings.public_url)
                    await stack.enter_async_context(client)
                    await client.hello(opened)
                    ours.append(asker(client))
                    bare_socket = connect(f"ws://127.0.0.1:{bare_port}/ws", compression=None)
                    theirs.append(bare_asker(await stack.enter_async_context(bare_socket)))
                pairs = await in_pairs(
                    lambda ours=ours: talked(ours, web, http, numbers),  # type: ignore[misc]
                    lambda theirs=theirs: talked(theirs, bare, http, numbers),  # type: ignore[misc]
                )
                found += figures(crowd, pairs)
    return found
