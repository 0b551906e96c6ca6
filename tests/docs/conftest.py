"""A running Cartback for the examples: the real application on a real port, with one connection called "myshop"."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from chatbot.app import create_app
from chatbot.server import listen, make_server
from recovery.runtime import open_runtime
from recovery.settings import Settings
from recovery.stores import registry
from tests.shop import settings_for

SHOP = "https://shop.example.com"
PATIENCE = 50


@dataclass(frozen=True)
class Running:
    """Where hooks go and what signs them, as ``stores add`` prints it, and the settings of the installation."""

    hook_url: str
    secret: str
    settings: Settings

    async def run(self, *command: str) -> str:
        """Run an example or a command on this installation; what it printed, once it has ended well."""
        process = await asyncio.create_subprocess_exec(
            *command,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | self._environment(),
        )
        try:
            async with asyncio.timeout(PATIENCE):
                out, errors = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        assert process.returncode == 0, errors.decode()
        return out.decode()

    def _environment(self) -> dict[str, str]:
        key = self.settings.secret_key
        return {
            "HOOK_URL": self.hook_url,
            "HOOK_SECRET": self.secret,
            "DATABASE_URL": self.settings.database_url or "",
            "REDIS_URL": self.settings.redis_url or "",
            "CARTBACK_SECRET_KEY": key.get_secret_value() if key else "",
        }


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Running]:
    """The web process on a free port of this machine."""
    async with open_runtime(settings) as runtime:
        connection, secret = await registry.add_connection(runtime.keys, "myshop", "My shop", SHOP, runtime.now())
        await registry.add_store(connection, "default", "My shop", language="pl", currency="PLN", timezone="UTC")
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        server = make_server(create_app({"runtime": runtime, "chat": None}), "127.0.0.1", port)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        await server.answers.wait()
        try:
            yield Running(f"http://127.0.0.1:{port}/hooks/v1/myshop", secret, settings)
        finally:
            server.stop()
            await task


@pytest.fixture
async def running(database_url: str, redis_url: str) -> AsyncIterator[Running]:
    """A running Cartback, on a database of its own."""
    async with serving(settings_for(database_url, redis_url)) as served:
        yield served
