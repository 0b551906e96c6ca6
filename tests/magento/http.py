"""A small HTTP/1.1 server on a real socket: a handler answers each request, or the connection breaks as it says."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tests.server_thread import StreamServerThread

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Request:
    """A request as it arrived; ``target`` is path and query byte by byte."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.target.partition("?")[2], keep_blank_values=True)


@dataclass(frozen=True)
class Reply:
    """An answer; ``hangs`` never answers, ``drops`` closes the connection, ``wait`` answers late."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False
    drops: bool = False
    wait: float = 0


def json_reply(document: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON document as PHP writes it: floats without a fraction as integers."""
    told = {"content-type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, orjson.dumps(_php(document)), told)


def _php(value: Any) -> Any:
    if isinstance(value, float) and value == int(value):
        return int(value)
    if isinstance(value, dict):
        return {name: _php(part) for name, part in value.items()}
    return [_php(part) for part in value] if isinstance(value, list) else value


@dataclass
class HttpServer:
    """What a running server is and what it was asked."""

    answer: Callable[[Request], Reply]
    host: str = "127.0.0.1"
    port: int = 0
    asked: list[Request] = field(default_factory=list)
    busiest: int = 0
    _running: int = 0

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def reply(self, request: Request) -> Reply:
        """Record a request and answer it."""
        self.asked.append(request)
        return self.answer(request)


class HttpThread(StreamServerThread[HttpServer]):
    """The server in a thread of its own."""

    def __init__(self, answer: Callable[[Request], Reply]) -> None:
        super().__init__(HttpServer(answer), "magento-server")

    def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Coroutine[Any, Any, None]:
        """Answer on one connection."""
        return _converse(self.server, reader, writer)


async def _converse(server: HttpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError):
            while (request := await _read(reader)) is not None and await _respond(server, request, reader, writer):
                pass
    finally:
        writer.close()


async def _respond(
    server: HttpServer, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Answer one request; whether the connection goes on."""
    server._running += 1
    server.busiest = max(server.busiest, server._running)
    try:
        reply = server.reply(request)
        if reply.hangs:
            await reader.read()
        if reply.hangs or reply.drops:
            return False
        await asyncio.sleep(reply.wait)
        told = {"content-length": str(len(reply.body)), "set-cookie": "PHPSESSID=X; path=/"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in (told | dict(reply.headers)).items())
        writer.write(f"HTTP/1.1 {reply.status} Status\r\n{lines}\r\n".encode() + reply.body)
        await writer.drain()
        return True
    finally:
        server._running -= 1


async def _read(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    method, target, _ = first.split(" ")
    return Request(method, target, headers, body)
