"""Where the cases run: the private servers, fresh databases, and processes of their own whose CPU and memory count."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis

from recovery import db
from recovery.embedded import EmbeddedServers, Endpoints
from recovery.runtime import Runtime
from recovery.settings import Settings
from tests.servers import TEMPLATE, database, database_copy, execute, fast_folder, run_apart
from tests.shop import Clock, open_runtime, settings_for
from tests.smtp_sink import SmtpSink

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Place:
    """A running PostgreSQL and Valkey with a migrated template; ``small`` is for the quick smoke of ``make test``."""

    servers: Endpoints
    template: str = TEMPLATE
    small: bool = False

    def size(self, whole: int, smoke: int) -> int:
        """How many of something: the size that counts, or that of the smoke."""
        return smoke if self.small else whole

    @contextmanager
    def settings(self, sink: SmtpSink | None = None, **more: object) -> Iterator[Settings]:
        """Process settings over an empty database and an empty Valkey."""
        with redis.Redis.from_url(self.servers.redis_url) as client:
            client.flushall()
        with database_copy(self.servers.database_url, self.template) as url:
            yield settings_for(url, self.servers.redis_url, sink, log_level="error", **more)

    @asynccontextmanager
    async def runtime(self, clock: Clock, **more: object) -> AsyncIterator[Runtime]:
        """What a process shares, over ``settings``."""
        with self.settings(**more) as settings:  # type: ignore[arg-type]
            async with open_runtime(settings, clock) as runtime:
                yield runtime


@contextmanager
def open_place() -> Iterator[Place]:
    """The servers of one run; they trade safety after a crash for speed, for ours and the baseline alike."""
    with fast_folder() as folder, EmbeddedServers(folder, durable=False) as servers:
        run_apart(execute(servers.database_url, f"CREATE DATABASE {TEMPLATE}"))
        run_apart(db.migrate(database(servers.database_url, TEMPLATE)))
        yield Place(servers)


@asynccontextmanager
async def program(name: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """``tests.bench.<name>`` in a process of its own, once it has printed ``ready``; it ends with the block."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.bench.{name}", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n", f"{name} did not start"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def cpu_seconds(process: asyncio.subprocess.Process) -> float:
    """CPU that a process has used, of its own and of the kernel for it."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(process: asyncio.subprocess.Process) -> int:
    """Memory that a process holds."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
