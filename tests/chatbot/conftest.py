"""A node of the assistant on a free port, and what its tests talk to it with."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import httpx2
import pytest
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from chatbot.assistant import Source
from chatbot.chat import Chat, open_chat
from chatbot.limits import Limits
from chatbot.routes import routes
from chatbot.server import listen, make_server
from recovery.clock import SystemClock
from recovery.doorbell import Doorbell
from recovery.installation import load_keys
from recovery.runtime import Runtime
from recovery.settings import Settings
from tests.chatbot.client import Client, Transcript
from tests.chatbot.rows import Shop, make_shop


class NodeState(TypedDict):
    """The lifespan state of the test's web process."""

    runtime: Runtime
    chat: Chat


@dataclass(frozen=True)
class Node:
    """A running web process."""

    base: str
    chat: Chat

    async def open(self, token: str) -> dict[str, Any]:
        """What the page gets for its link."""
        async with httpx2.AsyncClient(base_url=self.base) as http:
            answer = await http.post("/api/assistant/session", json={"token": token})
        assert answer.status_code == 200, answer.text
        opened: dict[str, Any] = answer.json()
        return opened

    def client(self, transcript: Transcript | None = None) -> Client:
        """A client of this node; its page has the origin of the public address."""
        return Client(self.base, transcript, self.chat.origin)


StartNode = Callable[..., AbstractAsyncContextManager[Node]]
PUBLIC_URL = "http://shop-helper.example"
ASSETS = Path(__file__).parents[2] / "frontend" / "dist"
SECRET_KEY = "a secret key of the tests, 32 characters"


@pytest.fixture
async def runtime(db: None, database_url: str, redis_url: str) -> AsyncIterator[Runtime]:
    """The shared objects of a process, on this test's own database."""
    settings = Settings(
        _env_file=None,
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        secret_key=SecretStr(SECRET_KEY),
        public_url=PUBLIC_URL,
    )
    doorbell = Doorbell(redis_url)
    yield Runtime(settings, SystemClock(), await load_keys(settings), doorbell)
    await doorbell.close()


@pytest.fixture
async def shop(runtime: Runtime) -> Shop:
    """The English store with its cart and link."""
    return await make_shop(runtime)


@pytest.fixture
def start_node(runtime: Runtime) -> StartNode:
    """Starts a node: ``async with start_node(limits=..., source=...) as node``."""

    @asynccontextmanager
    async def start(
        limits: Limits | None = None,
        source: Source | None = None,
        *,
        redis: str | None = None,
        send_buffer: int | None = None,
        own_origin: bool = False,
    ) -> AsyncIterator[Node]:
        with listen("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            base = f"http://127.0.0.1:{port}"
            if send_buffer is not None:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
            mine = changed(runtime, redis, base if own_origin else None)
            async with open_chat(mine, limits, source) as chat, serving(mine, chat, port, listener):
                yield Node(base, chat)

    return start


async def wait_until(holds: Callable[[], bool]) -> None:
    """Wait for something that nobody announces; the caller bounds the time."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def changed(runtime: Runtime, redis: str | None, public_url: str | None) -> Runtime:
    """The same process with another Redis or public address."""
    changes = {name: value for name, value in (("redis_url", redis), ("public_url", public_url)) if value is not None}
    settings = runtime.settings.model_copy(update=changes)
    return Runtime(settings, runtime.clock, runtime.keys, runtime.doorbell)


@asynccontextmanager
async def serving(runtime: Runtime, chat: Chat, port: int, listener: socket.socket) -> AsyncIterator[None]:
    """A web process that answers on the listener."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[NodeState]:
        yield {"runtime": runtime, "chat": chat}

    assets = Mount("/assets", StaticFiles(directory=ASSETS, check_dir=False))
    server = make_server(Starlette(routes=[*routes(), assets], lifespan=lifespan), "127.0.0.1", port)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(10):
        await wait_until(lambda: server.started)
    try:
        yield
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def node(start_node: StartNode) -> AsyncIterator[Node]:
    """An ordinary node."""
    async with start_node() as started:
        yield started
