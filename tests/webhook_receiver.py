"""A merchant's webhook endpoint for tests: a real HTTP server that verifies as a careful one would, and misbehaves.

Its ledger is the oracle: what really came, with signatures checked by code of its own.
"""

import asyncio
import contextlib
import json
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.server_thread import ServerThread
from tests.shop import sign

HANG_SECONDS = 30


@dataclass
class Misbehaviour:
    """What to do with one call that was received whole: a status with headers, a silence, a reset."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    reset: bool = False


@dataclass
class Receiver:
    """What came: every call in order, ``genuine`` or forged, and how many were open at once at most."""

    url: str = ""
    secrets: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    forged: int = 0
    open_now: int = 0
    most_open: int = 0
    script: deque[Misbehaviour] = field(default_factory=deque)
    always: Misbehaviour = field(default_factory=Misbehaviour)
    first: threading.Event = field(default_factory=threading.Event)

    def take(self, headers: dict[str, str], body: bytes) -> None:
        """Verify a call by every secret there is, and write it down."""
        webhook_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        expected = [sign(secret, webhook_id, timestamp, body) for secret in self.secrets]
        signatures = headers["webhook-signature"].split(" ")
        if abs(time.time() - int(timestamp)) > 300 or not set(expected) & set(signatures):
            self.forged += 1
            return
        fits = [signature in signatures for signature in expected]
        self.calls.append({"id": webhook_id, "fits": fits, "body": body, "headers": headers} | json.loads(body))
        self.first.set()

    @property
    def types(self) -> list[str]:
        return [call["type"] for call in self.calls]

    @property
    def ids(self) -> list[str]:
        return [call["id"] for call in self.calls]


class ReceiverThread(ServerThread[Receiver]):
    """The endpoint for the length of a ``with`` block."""

    def __init__(self) -> None:
        super().__init__(Receiver(), "webhook receiver")

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.server.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/webhooks"
        self._ready.set()
        await self._stopping.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        receiver = self.server
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            receiver.open_now += 1
            receiver.most_open = max(receiver.most_open, receiver.open_now)
            receiver.take(headers, body)
            how = receiver.script.popleft() if receiver.script else receiver.always
            await self._behave(how, writer)
            receiver.open_now -= 1
        writer.close()

    async def _behave(self, how: Misbehaviour, writer: asyncio.StreamWriter) -> None:
        if how.hang:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), HANG_SECONDS)
            return
        if how.reset:
            plain = writer.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return
        lines = [f"HTTP/1.1 {how.status} X", "content-length: 0", "connection: close"]
        lines += [f"{name}: {value}" for name, value in how.headers.items()]
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await writer.drain()
