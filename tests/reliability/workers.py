"""Starts worker processes, waits for them, kills them, and ends the leases they leave behind."""

import asyncio
import os
import sys
from pathlib import Path

from recovery import db
from tests.shop import Shop
from tests.smtp_sink import SmtpSink

ROOT = Path(__file__).parents[2]


async def start_worker(shop: Shop, sink: SmtpSink, sweeps: int = 1, **more: str) -> asyncio.subprocess.Process:
    """A process that sweeps over the shop's database and mails to ``sink``; ``more`` is environment."""
    settings = shop.runtime.settings
    environment = os.environ | {
        "DATABASE_URL": settings.database_url or "",
        "REDIS_URL": settings.redis_url or "",
        "CARTBACK_SMTP_HOST": sink.host,
        "CARTBACK_SMTP_PORT": str(sink.port),
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.reliability.worker_process", shop.now.isoformat(), str(sweeps),
        cwd=ROOT, env=environment | more,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def crash_at(shop: Shop, sink: SmtpSink, point: str) -> None:
    """One worker that dies at a named point."""
    worker = await start_worker(shop, sink, CARTBACK_TEST="1", CARTBACK_CRASH_POINT=point)
    assert await asyncio.wait_for(worker.wait(), 30) == 137, f"nobody died at {point}"


async def end_leases() -> None:
    """As if the time of every lease were over."""
    for table in ("email", "notice"):
        await db.client().execute_query(
            f"UPDATE {table} SET lease_until = now() - interval '1 s' WHERE lease_until IS NOT NULL"
        )
