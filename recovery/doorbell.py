"""Rings the worker so that it looks at once; losing a ring costs at most one sweep period, so it never raises."""

import asyncio
import contextlib
import time
from typing import Any, Literal

import orjson
import redis.exceptions
import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool

Job = Literal["detect", "score", "email", "notice", "webhooks"]

RING_SECONDS = 0.05
RETRY_AFTER_SECONDS = 5.0
UNAVAILABLE = (redis.exceptions.RedisError, OSError, TimeoutError)

log = structlog.get_logger()


def serialize(job: dict[str, Any]) -> bytes:
    """Jobs travel as JSON, never as pickle: whoever writes to Redis must not be able to run code here."""
    return orjson.dumps(job, default=str)


def deserialize(data: bytes) -> dict[str, Any]:
    """What ``serialize`` made."""
    job: dict[str, Any] = orjson.loads(data)
    return job


def redis_settings(url: str) -> RedisSettings:
    """arq's settings for ``url``."""
    return RedisSettings.from_dsn(url)


class Doorbell:
    """Connects at the first ring; while Redis is away it tries again every few seconds and stays silent between."""

    def __init__(self, redis_url: str) -> None:
        self._settings = redis_settings(redis_url)
        self._settings.conn_retries = 0
        self._settings.conn_timeout = 1
        self._pool: ArqRedis | None = None
        self._connecting: asyncio.Task[ArqRedis] | None = None
        self._quiet_until = 0.0

    async def ring(self, job: Job) -> bool:
        """Ask for one run of ``job``; whether the ring was heard. Takes 50 ms at most."""
        if time.monotonic() < self._quiet_until:
            return False
        try:
            async with asyncio.timeout(RING_SECONDS):
                pool = await self._connected()
                await pool.enqueue_job(job, _job_id=f"ring:{job}", _expires=60)
        except UNAVAILABLE as error:
            self._quiet_until = time.monotonic() + RETRY_AFTER_SECONDS
            log.warning("doorbell.unheard", job=job, error=type(error).__name__)
            return False
        return True

    async def _connected(self) -> ArqRedis:
        if self._pool is None:
            # The connection is made by a task of its own, so that a slow one is not lost with the ring's 50 ms.
            if self._connecting is None or self._connecting.done():
                self._connecting = asyncio.create_task(
                    create_pool(self._settings, job_serializer=serialize, job_deserializer=deserialize)
                )
            self._pool = await asyncio.shield(self._connecting)
        return self._pool

    async def close(self) -> None:
        """Give the connection back."""
        if self._connecting is not None and not self._connecting.done():
            self._connecting.cancel()
        if self._connecting is not None:
            with contextlib.suppress(asyncio.CancelledError, *UNAVAILABLE):
                await self._connecting
        if self._pool is not None:
            await self._pool.aclose()
