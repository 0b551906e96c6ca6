"""Idle conversations: memory of a socket in its conversation, against a socket of bare uvicorn."""

import asyncio
import resource
from contextlib import AsyncExitStack

from websockets.asyncio.client import connect

from recovery.runtime import open_runtime
from tests.bench.place import Place, program, resident_bytes
from tests.bench.ratios import PAIRS, Costs, Figure, in_pairs
from tests.chatbot.client import Client
from tests.chatbot.rows import make_shop
from tests.chatbot.test_crowds import talks

MOST = 1.5
AT_ONCE = 25


async def run(place: Place) -> list[Figure]:
    """The case. The sockets of a pair stay, so that in the end both processes hold them all."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = place.size(2_000, 10 * (PAIRS + 1)) // (PAIRS + 1)
    with place.settings() as settings:
        async with (
            open_runtime(settings) as runtime,
            program("web_node", str(settings.database_url), str(settings.redis_url)) as web,
            program("bare_node", "http://127.0.0.1:9") as bare,
            AsyncExitStack() as stack,
        ):
            shop = await make_shop(runtime)
            assert web.stdout is not None
            assert bare.stdout is not None
            base = f"http://127.0.0.1:{int(await web.stdout.readline())}"
            address = f"ws://127.0.0.1:{int(await bare.stdout.readline())}/ws"

            async def join(opened: dict[str, object]) -> None:
                client = await stack.enter_async_context(Client(base, origin=settings.public_url))
                await client.hello(opened)

            async def ours() -> Costs:
                before = resident_bytes(web)
                opened = await talks(runtime, shop, count)
                for at in range(0, count, AT_ONCE):
                    await asyncio.gather(*map(join, opened[at : at + AT_ONCE]))
                return {"bytes": (resident_bytes(web) - before) / count}

            async def baseline() -> Costs:
                before = resident_bytes(bare)
                for _ in range(count):
                    await stack.enter_async_context(connect(address, compression=None))
                return {"bytes": (resident_bytes(bare) - before) / count}

            found = await in_pairs(ours, baseline)
    return [Figure("idle", f"a socket of {count * (PAIRS + 1):,}", "bytes", found["bytes"], MOST)]
