"""The whole web process as a program for the benchmark, on a free port; says ``ready``, then its port."""

import asyncio
import sys

import uvloop

from chatbot.app import create_app
from chatbot.chat import open_chat
from chatbot.limits import Limits
from chatbot.server import listen, make_server
from recovery.logs import set_up_logging
from recovery.runtime import open_runtime
from tests.shop import settings_for

#: All clients of the benchmark come from one address.
LIMITS = Limits(
    sockets_per_address=20_000, handshakes_per_minute=0, questions_per_minute=1000, questions_per_day=10_000
)


async def main() -> None:
    """Serve until killed."""
    database_url, redis_url = sys.argv[1:]
    settings = settings_for(database_url, redis_url, log_level="error")
    set_up_logging(settings)
    async with open_runtime(settings) as runtime, open_chat(runtime, LIMITS) as chat:
        with listen("127.0.0.1", 0) as listener:
            port = listener.getsockname()[1]
            server = make_server(create_app({"runtime": runtime, "chat": chat}), "127.0.0.1", port)
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await server.answers.wait()
            sys.stdout.write(f"ready\n{port}\n")
            sys.stdout.flush()
            await serving


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
