"""How uvicorn is run for the assistant: its WebSocket limits, and a listening socket that frees silent clients."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from chatbot.events import MAX_FRAME_BYTES

PING_SECONDS = 20
SHUTDOWN_SECONDS = 15
#: Without it the socket of a client that stops reading is never freed (uvicorn waits to flush it).
SILENT_CLIENT_MS = 30_000
BACKLOG = 2048


class Server(uvicorn.Server):
    """Leaves signals to whoever runs it, so that everything else can stop too, and says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """uvicorn's own handlers would raise the signal again once it has stopped."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and wake whoever waits for ``answers``, also when the start failed (``started`` tells)."""
        await super().startup(sockets)
        self.answers.set()

    def stop(self) -> None:
        """End gracefully; asked a second time, at once."""
        self.force_exit = self.should_exit
        self.should_exit = True


def listen(host: str, port: int, silent_client_ms: int = SILENT_CLIENT_MS) -> socket.socket:
    """A listening socket; port 0 takes a free one. Accepted sockets inherit its TCP_USER_TIMEOUT where that exists.

    Raises:
        OSError: the address is taken or is not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only where it is: 40 ms a small answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        user_timeout = getattr(socket, "TCP_USER_TIMEOUT", None)
        if user_timeout is not None:
            with contextlib.suppress(OSError):
                listener.setsockopt(socket.IPPROTO_TCP, user_timeout, silent_client_ms)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def make_server(app: Any, host: str, port: int, *, log_config: dict[str, Any] | None = None) -> Server:
    """The server for ``app``; run it with ``server.serve(sockets=[listen(host, port)])``."""
    return Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            lifespan="on",
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            timeout_graceful_shutdown=SHUTDOWN_SECONDS,
            # Whose X-Forwarded-For counts is CARTBACK_TRUSTED_PROXIES and nothing else.
            proxy_headers=False,
            access_log=False,
            server_header=False,
            log_config=log_config,
        )
    )
