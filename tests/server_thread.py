"""Runs a test's server in a thread of its own, so that it answers even while a test blocks its loop."""

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from typing import Any, Generic, Protocol, TypeVar

Server = TypeVar("Server")


class Listening(Protocol):
    """A server that listens at ``host``, on the port it is given."""

    host: str
    port: int


Streaming = TypeVar("Streaming", bound=Listening)


class ServerThread(ABC, Generic[Server]):
    """A server for the length of a ``with`` block; a subclass says how it listens."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Server:
        self._thread.start()
        self._ready.wait()
        return self.server

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    @abstractmethod
    async def _serve(self) -> None:
        """Listen, set ``_ready``, wait for ``_stopping``, and let go of every connection."""


class StreamServerThread(ServerThread[Streaming]):
    """A server of byte streams; a subclass says how it talks on one connection."""

    @abstractmethod
    def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Coroutine[Any, Any, None]:
        """Serve one connection to its end."""

    async def _serve(self) -> None:
        running: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

        def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.create_task(self.converse(reader, writer))
            running[task] = writer
            task.add_done_callback(running.pop)

        listener = await asyncio.start_server(serve, self.server.host, 0)
        self.server.port = listener.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        listener.close()
        for task, writer in running.items():
            writer.transport.abort()
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        # Let connection_lost run, which closes the sockets.
        for _ in range(5):
            await asyncio.sleep(0)
