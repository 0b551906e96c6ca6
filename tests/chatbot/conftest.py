"""A node of the assistant on a free port, and what its tests talk to it with.

Starting a database and a server costs more than most of these tests: a module has one event loop, one database and
one ordinary node, and each test its own rows.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import Browser
from pydantic import SecretStr

from chatbot.app import create_app
from chatbot.assistant import Source
from chatbot.chat import Chat, open_chat
from chatbot.limits import Limits
from chatbot.server import listen, make_server
from recovery import db as recovery_db
from recovery.clock import SystemClock
from recovery.doorbell import Doorbell
from recovery.embedded import Endpoints
from recovery.installation import load_keys
from recovery.runtime import Runtime
from recovery.settings import Settings
from tests.chatbot.client import Client, Transcript
from tests.chatbot.rows import Shop, make_shop
from tests.chromium import launch_browser
from tests.servers import database_copy


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
SECRET_KEY = "a secret key of the tests, 32 characters"
#: The limits of the protocol, but nobody watches how an answer is typed, and no test waits for another's answer or
#: pays for another's attempts.
BRISK = Limits(piece_seconds=0.005, drain_seconds=0.1, handshakes_per_minute=0, fresh_links_per_address=0)


@pytest.fixture(scope="module")
def database_url(servers: Endpoints, template_database: str) -> Iterator[str]:
    """The address of this module's migrated database."""
    with database_copy(servers.database_url, template_database) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def runtime(servers: Endpoints, database_url: str) -> AsyncIterator[Runtime]:
    """The shared objects of a process."""
    settings = Settings(
        _env_file=None,
        DATABASE_URL=database_url,
        REDIS_URL=servers.redis_url,
        secret_key=SecretStr(SECRET_KEY),
        public_url=PUBLIC_URL,
    )
    doorbell = Doorbell(servers.redis_url)
    async with recovery_db.connect(database_url):
        yield Runtime(settings, SystemClock(), await load_keys(settings), doorbell)
        await doorbell.close()


@pytest_asyncio.fixture(loop_scope="module")
async def empty(runtime: Runtime) -> AsyncIterator[None]:
    """The database without a shop's rows, and again after the test."""
    yield
    await recovery_db.client().execute_script("TRUNCATE connection CASCADE")


@pytest_asyncio.fixture(loop_scope="module")
async def shop(runtime: Runtime, empty: None) -> Shop:
    """The English store with its cart and link."""
    return await make_shop(runtime)


@pytest.fixture(scope="module")
def start_node(runtime: Runtime) -> StartNode:
    """Starts a node: ``async with start_node(limits=..., source=...) as node``."""

    @asynccontextmanager
    async def start(
        limits: Limits | None = None,
        source: Source | None = None,
        *,
        redis: str | None = None,
        listener: socket.socket | None = None,
        own_origin: bool = False,
    ) -> AsyncIterator[Node]:
        with listener or listen("127.0.0.1", 0) as door:
            port = door.getsockname()[1]
            base = f"http://127.0.0.1:{port}"
            mine = changed(runtime, redis, base if own_origin else None)
            async with open_chat(mine, limits or BRISK, source) as chat, serving(mine, chat, port, door):
                yield Node(base, chat)

    return start


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One browser for a module; each test has a tab with a storage of its own."""
    async with launch_browser() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_node(start_node: StartNode) -> AsyncIterator[Node]:
    """The module's ordinary node."""
    async with start_node() as started:
        yield started


@pytest.fixture
def node(module_node: Node, empty: None) -> Node:
    """The module's ordinary node, with no rows but those the test makes."""
    return module_node


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
    """The whole web process, answering on the listener."""
    server = make_server(create_app({"runtime": runtime, "chat": chat}), "127.0.0.1", port)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    async with asyncio.timeout(10):
        await server.answers.wait()
    try:
        yield
    finally:
        server.stop()
        await task
