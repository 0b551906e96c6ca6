"""The demo's SMTP sink: takes every message and stores it as a file, on the running event loop."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from recovery.demo.files import write_atomically

KEPT = 500


@dataclass(frozen=True)
class Sink:
    """An open sink: where it listens and where it stores."""

    host: str
    port: int
    folder: Path


@asynccontextmanager
async def open_sink(folder: Path, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Sink]:
    """Listen on ``host`` and ``port`` (0 = any free one) until the block ends."""
    loop = asyncio.get_running_loop()
    keeper = _Keeper(folder)
    server = await loop.create_server(
        lambda: SMTP(keeper, hostname="demo-sink", enable_SMTPUTF8=True, loop=loop), host, port
    )
    try:
        yield Sink(host, server.sockets[0].getsockname()[1], folder)
    finally:
        server.close()
        await server.wait_closed()


class _Keeper:
    """aiosmtpd's handler: one file per accepted message, the oldest beyond ``KEPT`` removed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        # The envelope is told as a mailbox tells it: a copy's address stands in no other header.
        taken = [f"Return-Path: <{envelope.mail_from or ''}>", *(f"Delivered-To: {to}" for to in envelope.rcpt_tos)]
        head = "".join(f"{line}\r\n" for line in taken).encode()
        name = f"{time.time_ns():020d}-{secrets.token_hex(3)}.eml"
        write_atomically(self._folder / name, head + raw)
        for old in sorted(self._folder.glob("*.eml"))[:-KEPT]:
            old.unlink(missing_ok=True)
        return "250 2.0.0 Stored"
