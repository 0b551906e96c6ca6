"""Nodes of the assistant as programs: what such a program does, and how a test starts and ends one."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio
from pydantic import SecretStr
from starlette.applications import Starlette

from chatbot.assistant import Source
from chatbot.chat import open_chat
from chatbot.limits import Limits
from chatbot.routes import routes
from chatbot.server import listen, make_server
from recovery.logs import set_up_logging
from recovery.runtime import Runtime, open_runtime
from recovery.settings import Settings
from tests.chatbot.conftest import SECRET_KEY, wait_until


async def run_node(limits: Limits, source: Source | None = None, send_buffer: int | None = None) -> None:
    """Serve until killed, as the program's arguments say; prints ``ready`` once it answers.

    Without a ``source`` the store says who answers. ``send_buffer`` is how many bytes the kernel may keep for each
    client, where the test needs that to be few.
    """
    database_url, redis_url, public_url, port = sys.argv[1:]
    settings = Settings(
        _env_file=None,
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        secret_key=SecretStr(SECRET_KEY),
        public_url=public_url,
        log_level="warning",
    )
    set_up_logging(settings)
    async with open_runtime(settings) as runtime, open_chat(runtime, limits, source) as chat:

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[Mapping[str, Any]]:
            yield {"runtime": runtime, "chat": chat}

        server = make_server(Starlette(routes=routes(), lifespan=lifespan), "127.0.0.1", int(port))
        listener = listen("127.0.0.1", int(port))
        if send_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await wait_until(lambda: server.started)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await serving


@asynccontextmanager
async def node_process(runtime: Runtime, program: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A node that runs ``tests.chatbot.<program>``, so that it can be killed and measured, and its address."""
    settings = runtime.settings
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.chatbot.{program}", str(settings.database_url), str(settings.redis_url),
        settings.public_url, str(port), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"ready\n"
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        # Its sockets would count for a minute more, for every test that comes from this machine.
        async with redis.asyncio.Redis.from_url(str(settings.redis_url)) as counts:
            await counts.delete("cartback:places:address:127.0.0.1")
