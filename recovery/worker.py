"""Composition root of the worker: arq's settings, the sweeps as cron jobs, the heartbeat."""

import asyncio
import contextlib
import os
import socket
from typing import Any

import redis.exceptions
import structlog
from arq import cron
from arq.connections import RedisSettings
from arq.cron import CronJob
from arq.typing import WorkerCoroutine
from arq.worker import Function, Worker, func
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from admin import privacy as admin_privacy
from chatbot import privacy as chat_privacy
from chatbot.chat import Chat
from recovery import db, jobs, privacy
from recovery.clock import SystemClock
from recovery.doorbell import deserialize, redis_settings, serialize
from recovery.runtime import Runtime, addresses

JOB_SECONDS = 420
RESTART_SECONDS = 1.0
_BEAT = """
INSERT INTO heartbeat (name, at, worker) VALUES ('worker', now(), $1)
ON CONFLICT (name) DO UPDATE SET at = excluded.at, worker = excluded.worker
"""

log = structlog.get_logger()


def _sweep(name: str) -> WorkerCoroutine:
    async def run(ctx: dict[Any, Any]) -> None:
        runtime: Runtime = ctx["runtime"]
        lock: asyncio.Lock = ctx["locks"][name]
        if lock.locked():  # one sweep of a kind per process at a time; the one that runs sees what is new
            return
        async with lock:
            with contextlib.suppress(*db.UNAVAILABLE):
                report = await jobs.JOBS[name](runtime, jobs.EVERYTHING)
                if report.counts or report.errors:
                    log.info("job.done", job=name, counts=report.counts, errors=report.errors)
                await _ring_next(runtime, name, report)

    run.__qualname__ = name
    return run


async def _ring_next(runtime: Runtime, name: str, report: jobs.Report) -> None:
    """A cart goes through all three sweeps at once rather than in three periods."""
    if name == "detect" and report.counts.get("detected"):
        await runtime.doorbell.ring("score")
        await runtime.doorbell.ring("webhooks")
    elif name == "score" and report.counts.get("scored"):
        await runtime.doorbell.ring("email")


async def beat(ctx: dict[Any, Any]) -> None:
    """Say that this worker lives, on the database's clock."""
    with contextlib.suppress(*db.UNAVAILABLE):
        await db.client().execute_query(_BEAT, [f"{socket.gethostname()[:50]}:{os.getpid()}"])


async def forget(ctx: dict[Any, Any]) -> None:
    """Once a day, forget what is older than it may be kept."""
    runtime: Runtime = ctx["runtime"]
    with contextlib.suppress(*db.UNAVAILABLE):
        now = runtime.now()
        counts = await admin_privacy.retain(SystemClock().now()) | await chat_privacy.retain(now)
        log.info("retention.done", counts=counts | await privacy.retain(runtime.keys, now))


async def adopt_turns(ctx: dict[Any, Any]) -> None:
    """Take over answers whose process is gone."""
    chat: Chat = ctx["chat"]
    with contextlib.suppress(*db.UNAVAILABLE):
        await chat.sweep_orphans()


def make_worker(runtime: Runtime, chat: Chat) -> Worker:
    """An arq worker over the open runtime."""
    _, redis_url = addresses(runtime.settings)
    period = runtime.settings.sweep_seconds
    seconds = set(range(0, 60, period))
    sweeps = [_sweep(name) for name in jobs.JOBS]
    functions: list[Function] = [func(job, name=job.__qualname__, keep_result=0, timeout=JOB_SECONDS) for job in sweeps]
    crons: list[CronJob] = [
        *(
            cron(job, name=f"cron:{job.__qualname__}", second=seconds, keep_result=0, timeout=JOB_SECONDS, max_tries=1)
            for job in sweeps
        ),
        cron(forget, name="cron:forget", hour=3, minute=20, second=0, keep_result=0, timeout=JOB_SECONDS, max_tries=1),
        cron(adopt_turns, name="cron:turns", second=set(range(5, 60, 10)), keep_result=0, timeout=60, max_tries=1),
        cron(
            beat,
            name="cron:beat",
            second=set(range(0, 60, 10)),
            keep_result=0,
            timeout=10,
            max_tries=1,
        ),
    ]
    return Worker(
        functions=functions,
        cron_jobs=crons,
        redis_settings=_redis(redis_url),
        handle_signals=False,
        poll_delay=0.2,
        max_jobs=10,
        max_tries=100,
        job_timeout=JOB_SECONDS,
        job_completion_wait=30,
        job_serializer=serialize,
        job_deserializer=deserialize,
        ctx={"runtime": runtime, "chat": chat, "locks": {name: asyncio.Lock() for name in jobs.JOBS}},
        log_results=False,
    )


async def run_worker(runtime: Runtime, chat: Chat, stop: asyncio.Event) -> None:
    """Run a worker until ``stop``; a Redis that goes away and comes back only pauses it."""
    while not stop.is_set():
        await beat({})
        worker = make_worker(runtime, chat)
        running = asyncio.create_task(worker.async_run())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        await _close(worker, running)
        if not stop.is_set():
            log.warning("worker.restart", cause=repr(_failure(running)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), RESTART_SECONDS)


async def _close(worker: Worker, running: asyncio.Task[None]) -> None:
    """Let what runs finish, then close; arq's own close raises CancelledError when a job was running."""
    worker.allow_pick_jobs = False
    unfinished = [task for task in worker.tasks.values() if not task.done()]
    if unfinished:
        await asyncio.wait(unfinished, timeout=30)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError, redis.exceptions.RedisError, OSError):
        await running
    with contextlib.suppress(asyncio.CancelledError, redis.exceptions.RedisError, OSError):
        await worker.close()


def _failure(task: asyncio.Task[None]) -> BaseException | None:
    return None if task.cancelled() else task.exception()


def _redis(url: str) -> RedisSettings:
    """Outlives a restart of Redis instead of ending the worker."""
    settings = redis_settings(url)
    settings.conn_retries = 20
    settings.conn_retry_delay = 1
    settings.retry_on_error = [redis.exceptions.ConnectionError, redis.exceptions.TimeoutError]
    settings.retry = Retry(ExponentialBackoff(cap=1, base=0.05), 20)
    return settings
