"""A real HTTP server that takes the shop's hooks, checks their signatures and answers as a test wants."""

import asyncio
import contextlib
import json
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SECRET = "whsec_" + "ZGVtb3Nob3BkZW1vc2hvcGRlbW9zaG9w"


@dataclass
class Received:
    """One delivery that reached the server, accepted or not."""

    id: str
    timestamp: str
    envelope: dict[str, Any]

    @property
    def type(self) -> str:
        return str(self.envelope["type"])

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.envelope["data"]
        return data


@dataclass
class HookEndpoint:
    """``answers`` are used up one by one; then everything is accepted."""

    url: str
    received: list[Received] = field(default_factory=list)
    answers: deque[tuple[int, Mapping[str, str]]] = field(default_factory=deque)
    body: dict[str, object] = field(default_factory=lambda: {"status": "applied", "warnings": []})

    def of(self, *types: str) -> list[Received]:
        return [hook for hook in self.received if hook.type in types]

    def last(self, type_: str) -> dict[str, Any]:
        return self.of(type_)[-1].data

    async def take(self, request: Request) -> Response:
        raw = await request.body()
        Webhook(SECRET).verify(raw, dict(request.headers))
        headers = request.headers
        self.received.append(Received(headers["webhook-id"], headers["webhook-timestamp"], json.loads(raw)))
        status, answer_headers = self.answers.popleft() if self.answers else (200, {})
        return JSONResponse(self.body, status, headers=dict(answer_headers))


@contextlib.asynccontextmanager
async def hook_endpoint(port: int = 0) -> AsyncIterator[HookEndpoint]:
    """The server on a free port (or ``port``) of the loopback, until the block ends."""
    # Named as TCP: asyncio turns Nagle's delay (40 ms an answer) off only for sockets that say so.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    endpoint = HookEndpoint(f"http://127.0.0.1:{listener.getsockname()[1]}/hooks/v1/demo")
    app = Starlette(routes=[Route("/hooks/v1/demo", endpoint.take, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off", ws="none"))
    with listener:
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield endpoint
        finally:
            server.should_exit = True
            await task
