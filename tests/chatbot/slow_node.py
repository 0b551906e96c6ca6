"""A node of the assistant in a process of its own that answers slowly, so that the fault tests can kill it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr
from starlette.applications import Starlette

from chatbot.chat import open_chat
from chatbot.limits import Limits
from chatbot.routes import routes
from chatbot.server import listen, make_server
from recovery.runtime import open_runtime
from recovery.settings import Settings
from tests.chatbot.conftest import SECRET_KEY, wait_until
from tests.chatbot.sources import telling

LIMITS = Limits(turn_lease_seconds=1, turn_renew_seconds=0.3)


async def main(database_url: str, redis_url: str, public_url: str, port: int) -> None:
    """Serve until killed; says ``ready`` once it answers."""
    settings = Settings(
        _env_file=None,
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        secret_key=SecretStr(SECRET_KEY),
        public_url=public_url,
    )
    async with (
        open_runtime(settings) as runtime,
        open_chat(runtime, LIMITS, telling("slow words ", pause=0.2, times=200)) as chat,
    ):

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncIterator[Mapping[str, Any]]:
            yield {"runtime": runtime, "chat": chat}

        server = make_server(Starlette(routes=routes(), lifespan=lifespan), "127.0.0.1", port)
        serving = asyncio.create_task(server.serve(sockets=[listen("127.0.0.1", port)]))
        await wait_until(lambda: server.started)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await serving


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
