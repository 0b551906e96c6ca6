"""Runs a test's server in a thread of its own, so that it answers even while a test blocks its loop."""

import asyncio
import threading
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

Server = TypeVar("Server")


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
