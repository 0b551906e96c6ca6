"""Counts sockets and attempts across all nodes in Redis, where counts expire, so that a node that dies leaks none.

Each question is one round trip of at most ``counter_seconds``. While Redis is away the same limits hold per node.
"""

import asyncio
import contextlib
import ipaddress
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import redis.asyncio
import structlog
from starlette.requests import HTTPConnection

from chatbot.fanout import UNAVAILABLE
from chatbot.limits import Limits
from recovery.settings import Settings

QUIET_SECONDS = 1.0
#: KEYS: the holders, the attempts. ARGV: holder, most holders, ms a holder lives unrenewed, most attempts, ms they
#: count. A limit of 0 asks nothing.
_ADMIT = """
local told = redis.call('TIME')
local now = told[1] * 1000 + math.floor(told[2] / 1000)
if tonumber(ARGV[4]) > 0 then
  local tried = redis.call('INCR', KEYS[2])
  if tried == 1 then redis.call('PEXPIRE', KEYS[2], ARGV[5]) end
  if tried > tonumber(ARGV[4]) then return 0 end
end
if tonumber(ARGV[2]) > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
  redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 1
"""
_RENEW = """
local told = redis.call('TIME')
redis.call('ZADD', KEYS[1], told[1] * 1000 + math.floor(told[2] / 1000) + ARGV[2], ARGV[1])
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

log = structlog.get_logger()


class Counters:
    """The counts of one node and, through Redis, of all."""

    def __init__(self, redis_url: str, limits: Limits) -> None:
        self._limits = limits
        self._client = redis.asyncio.Redis.from_url(redis_url, socket_connect_timeout=limits.redis_seconds)
        self._held: dict[str, set[str]] = {}
        self._tried: dict[str, list[float]] = {}
        self._quiet_until = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to renew what this node holds."""
        self._task = asyncio.create_task(self._keep_renewing(), name="counters")

    async def close(self) -> None:
        """Stop, and give the connections back."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    async def hold(self, name: str, most: int, *, attempts: int = 0, seconds: int = 60) -> str | None:
        """Take one of ``most`` places of ``name`` until ``release``; its holder's name, None if there is no place.

        ``attempts`` bounds how often that may be tried in so many seconds.
        """
        holder = secrets.token_hex(8)
        mine = self._held.setdefault(name, set())
        room = len(mine) < most and self._try(name, attempts, seconds)
        # Counted before Redis answers: two at once must not both see the last place.
        mine.add(holder)
        if room and await self._admitted(name, holder, most, attempts, seconds):
            return holder
        self._drop(name, holder)
        return None

    async def release(self, name: str, holder: str) -> None:
        """Give a place back."""
        self._drop(name, holder)
        await self._ask(self._client.zrem(_places(name), holder))

    @asynccontextmanager
    async def place(self, name: str, most: int, *, attempts: int = 0) -> AsyncIterator[bool]:
        """A place while the block runs; whether there was one."""
        holder = await self.hold(name, most, attempts=attempts)
        try:
            yield holder is not None
        finally:
            if holder is not None:
                await self.release(name, holder)

    async def attempt(self, name: str, most: int, seconds: int) -> bool:
        """Count one attempt; whether there were at most so many in these seconds."""
        return self._try(name, most, seconds) and await self._admitted(name, "", 0, most, seconds)

    def _try(self, name: str, most: int, seconds: int) -> bool:
        if most == 0:
            return True
        now = time.monotonic()
        recent = [at for at in self._tried.get(name, []) if at > now - seconds][-most:]
        self._tried[name] = [*recent, now]
        return len(recent) < most

    def _drop(self, name: str, holder: str) -> None:
        mine = self._held.get(name, set())
        mine.discard(holder)
        if not mine:
            self._held.pop(name, None)

    async def _admitted(self, name: str, holder: str, most: int, attempts: int, seconds: int) -> bool:
        life = int(self._limits.unwatched_seconds * 1000)
        keys = [_places(name), f"cartback:tried:{name}"]
        values = [holder, str(most), str(life), str(attempts), str(seconds * 1000)]
        admitted: int | None = await self._ask(self._client.eval(_ADMIT, 2, *keys, *values))
        return admitted != 0

    async def _ask(self, command: Any) -> Any:
        """What Redis says, None when it is away or late; then nobody waits for it for a second."""
        if time.monotonic() < self._quiet_until:
            command.close()
            return None
        try:
            async with asyncio.timeout(self._limits.counter_seconds):
                return await command
        except UNAVAILABLE as error:
            self._quiet_until = time.monotonic() + QUIET_SECONDS
            log.warning("counters.away", error=type(error).__name__)
            return None

    async def _keep_renewing(self) -> None:
        while True:
            await asyncio.sleep(self._limits.touch_seconds)
            self._forget_attempts()
            await self.renew()

    async def renew(self) -> None:
        """Keep what this node holds from expiring, and put it back where Redis lost it."""
        life = str(int(self._limits.unwatched_seconds * 1000))
        pipeline = self._client.pipeline(transaction=False)
        for name, holders in self._held.items():
            for holder in holders:
                pipeline.eval(_RENEW, 1, _places(name), holder, life)
        with contextlib.suppress(*UNAVAILABLE):
            async with asyncio.timeout(self._limits.redis_seconds):
                await pipeline.execute()

    def _forget_attempts(self) -> None:
        last_hour = time.monotonic() - 3600
        self._tried = {name: tries for name, tries in self._tried.items() if tries[-1] > last_hour}


def client_address(connection: HTTPConnection, settings: Settings) -> str:
    """Where a request comes from: what trusted proxies say of it, else the peer itself."""
    address = connection.client.host if connection.client else ""
    told = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    while _trusted(address, settings) and told and told[-1].strip():
        address = told.pop().strip()
    return address[:64]


def _trusted(address: str, settings: Settings) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in ipaddress.ip_network(network) for network in settings.trusted_proxies)


def _places(name: str) -> str:
    return f"cartback:places:{name}"
