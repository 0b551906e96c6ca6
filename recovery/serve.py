"""Composition root of ``serve`` and ``worker``: the servers they need, the web process and, embedded, the worker."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from starlette.routing import BaseRoute

from admin.signin import make_admin_link
from chatbot.app import create_app
from chatbot.chat import Chat, open_chat
from chatbot.server import listen, make_server
from recovery import db
from recovery.clock import SystemClock
from recovery.embedded import EmbeddedServers
from recovery.errors import SetupError
from recovery.runtime import Runtime, addresses, open_runtime
from recovery.secrets import make_secret_key
from recovery.settings import Settings
from recovery.worker import run_worker

Progress = Callable[[str], None]
Extend = Callable[[Runtime, AsyncExitStack], Awaitable[Sequence[BaseRoute]]]


@contextmanager
def servers(settings: Settings, progress: Progress) -> Iterator[tuple[Settings, bool]]:
    """The settings with a database and a Redis, private ones where none is set; whether they are private.

    Raises:
        EmbeddedError: the private servers do not start.
    """
    if settings.database_url and settings.redis_url:
        yield settings, False
        return
    if settings.database_url or settings.redis_url:
        raise SetupError(
            "Only one of DATABASE_URL and REDIS_URL is set.",
            "Set both, or neither to use private servers.",
        )
    progress("PostgreSQL and Valkey")
    private = EmbeddedServers(settings.state_dir)
    endpoints = private.start()
    try:
        make_secret_key(settings.state_dir / "secret.key")
        own = {"database_url": endpoints.database_url, "redis_url": endpoints.redis_url}
        yield settings.model_copy(update=own), True
    finally:
        private.stop()


@asynccontextmanager
async def web(
    settings: Settings, listener: socket.socket, *, with_worker: bool, extend: Extend | None = None
) -> AsyncIterator[tuple[Runtime, asyncio.Task[None]]]:
    """The web process, answering; SIGINT or SIGTERM ends the task, and leaving the block does.

    Args:
        with_worker: run the worker in this process too, as the embedded mode does.
        extend: adds routes, and to the stack what must be closed with them.

    Raises:
        SetupError: the port is taken, or the keys or the database do not fit.
    """
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        runtime = await stack.enter_async_context(open_runtime(settings))
        chat = await stack.enter_async_context(open_chat(runtime))
        more_routes = await extend(runtime, stack) if extend else []
        app = create_app({"runtime": runtime, "chat": chat}, more_routes)
        if with_worker:
            await stack.enter_async_context(background_worker(runtime, chat))
        server = make_server(app, *listener.getsockname()[:2])
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stop_on_signal(server.stop)
        try:
            await server.answers.wait()
            yield runtime, serving
        finally:
            server.should_exit = True
            await serving


def stop_on_signal(stop: Callable[[], None]) -> None:
    """Call ``stop`` at SIGINT and SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)


def take_port(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes any free one.

    Raises:
        SetupError: the port is taken; the message says what to do.
    """
    try:
        return listen(host, port)
    except OSError as error:
        raise SetupError(
            f"{host}:{port} can't be used: {error.strerror}.", f"Choose another one, such as --port {port + 1}."
        ) from error


@asynccontextmanager
async def background_worker(runtime: Runtime, chat: Chat) -> AsyncIterator[None]:
    """The worker inside the web process, as the embedded mode has it."""
    stop = asyncio.Event()
    worker = asyncio.create_task(run_worker(runtime, chat, stop))
    try:
        yield
    finally:
        stop.set()
        await worker


@contextmanager
def run_file(settings: Settings) -> Iterator[None]:
    """Tell other terminals how to connect, as long as this process runs; readable by the owner only."""
    path = settings.run_file
    shared = {"database_url", "redis_url", "public_url", "smtp_host", "smtp_port", "smtp_security", "clock_file"}
    told = settings.model_dump(mode="json", include=shared)
    draft = path.with_suffix(".new")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({"pid": os.getpid(), "settings": told}))
    draft.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


async def migrate(settings: Settings, progress: Progress) -> None:
    """Bring the schema to the newest state."""
    progress("Schema")
    database_url, _ = addresses(settings)
    await db.migrate(database_url)


async def serve(settings: Settings, host: str, port: int, progress: Progress) -> None:
    """Serve until a signal; embedded also with private servers, their schema and the worker."""
    with take_port(host, port) as listener, servers(settings, progress) as (ready, private):
        if private:
            await migrate(ready, progress)
        with run_file(ready) if private else nullcontext():
            async with web(ready, listener, with_worker=private) as (runtime, serving):
                link = await make_admin_link(SystemClock().now())
                progress(f"Listening on http://{host}:{port}")
                progress(f"Admin, once, from this machine: http://{host}:{port}{link}")
                await serving


def run(service: Coroutine[Any, Any, None]) -> None:
    """Run a service to its end, on uvloop where there is one: it takes two fifths off the CPU of many small frames."""
    found = find_spec("uvloop")
    loop_factory = import_module("uvloop").new_event_loop if found else None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(service)


async def work(settings: Settings) -> None:
    """Run the worker until a signal."""
    stop = asyncio.Event()
    stop_on_signal(stop.set)
    async with open_runtime(settings) as runtime, open_chat(runtime) as chat:
        await run_worker(runtime, chat, stop)
