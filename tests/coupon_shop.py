"""A shop's coupon call-back for tests: a real HTTP server that keeps what it took, and misbehaves as told.

Its ledger is the oracle: what the shop really accepted, whatever Cartback believes.
"""

import asyncio
import contextlib
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.server_thread import ServerThread
from tests.shop import sign

HANG_SECONDS = 30


@dataclass
class Fault:
    """What to do with one call: a status, a silence, a cut; ``takes`` whether the coupon is kept before that."""

    status: int = 200
    takes: bool = False
    hang: bool = False
    cut: bool = False
    delay: float = 0


@dataclass
class CouponShop:
    """What the shop holds: ``coupons`` by code, ``withdrawn`` codes, every call in order."""

    secret: str = ""
    url: str = ""
    coupons: dict[str, dict[str, Any]] = field(default_factory=dict)
    withdrawn: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    forged: int = 0
    faults: deque[Fault] = field(default_factory=deque)
    always: Fault | None = None

    def script(self, *faults: Fault) -> None:
        """Answer the next calls like this."""
        self.faults.extend(faults)

    @property
    def worth(self) -> int:
        """What all coupons ever taken cost at worst."""
        return sum(coupon["worst_case"] for coupon in self.coupons.values())

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Handle one signed call as a careful shop would; the status."""
        webhook_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
        if headers["webhook-signature"] != sign(self.secret, webhook_id, timestamp, body):
            self.forged += 1
            return 401
        told = json.loads(body)
        self.calls.append(told)
        self.bodies.setdefault(webhook_id, set()).add(body)
        code = told["data"]["code"]
        if told["type"] == "coupon.withdraw":
            self.withdrawn.append(code)
            return 204 if code in self.coupons else 404
        if code in self.coupons:
            return 409
        self.coupons[code] = told["data"]
        return 201


class CouponShopThread(ServerThread[CouponShop]):
    """The shop for the length of a ``with`` block."""

    def __init__(self) -> None:
        super().__init__(CouponShop(), "coupon shop")

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        self.server.url = f"http://127.0.0.1:{port}/coupons"
        self._ready.set()
        await self._stopping.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            fault = self.server.faults.popleft() if self.server.faults else self.server.always
            status = self.server.take(headers, body) if fault is None or fault.takes else fault.status
            if fault is not None:
                await asyncio.sleep(fault.delay)
                if fault.hang:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._stopping.wait(), HANG_SECONDS)
                if fault.status != 200:
                    status = fault.status
            if fault is None or not (fault.cut or fault.hang):
                head_out = f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
                writer.write(head_out.encode())
                await writer.drain()
        writer.close()
