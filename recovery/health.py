"""Whether this installation lives: ``/healthz`` for the process, ``/readyz`` for what it needs."""

from datetime import timedelta

import redis.asyncio
import redis.exceptions
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from recovery import db
from recovery.runtime import Runtime, addresses

HEARTBEAT_TOO_OLD = timedelta(seconds=60)


def routes() -> list[BaseRoute]:
    """The two health checks."""
    return [Route("/healthz", alive, methods=["GET"]), Route("/readyz", ready, methods=["GET"])]


async def alive(request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> Response:
    """Ready means the database answers; Redis and the worker are told, and missing they only make things slower."""
    runtime: Runtime = request.state.runtime
    database = await database_answers()
    parts = {
        "database": "ok" if database else "away",
        "redis": "ok" if await redis_answers(runtime) else "away",
        "worker": await worker_state() if database else "unknown",
    }
    return JSONResponse({"status": "ready" if database else "not ready", **parts}, 200 if database else 503)


async def database_answers() -> bool:
    """Whether PostgreSQL answers within two seconds."""
    try:
        await db.ping()
    except db.UNAVAILABLE:
        return False
    return True


async def redis_answers(runtime: Runtime) -> bool:
    """Whether Redis answers within two seconds."""
    _, url = addresses(runtime.settings)
    client = redis.asyncio.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
    try:
        return bool(await client.ping())
    except (redis.exceptions.RedisError, OSError):
        return False
    finally:
        await client.aclose()


async def heartbeat_age() -> timedelta | None:
    """How long ago a worker last gave a sign of life, on the database's clock; None when never."""
    rows = await db.client().execute_query_dict("SELECT now() - at AS age FROM heartbeat WHERE name = 'worker'")
    return rows[0]["age"] if rows else None


async def worker_state() -> str:
    """``ok``, ``never seen``, or since when the worker is silent."""
    age = await heartbeat_age()
    if age is None:
        return "never seen"
    return "ok" if age <= HEARTBEAT_TOO_OLD else f"silent for {int(age.total_seconds())} s"
