"""The database: Tortoise's set-up, migrations under a lock, and what counts as the database being away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection, get_connections
from tortoise.exceptions import DBConnectionError
from tortoise.migrations.api import migrate as run_migrations
from tortoise.transactions import in_transaction as tortoise_transaction

from recovery.errors import SetupError

APP = "models"
MODEL_MODULES = ["recovery.models", "chatbot.models", "admin.models"]
MIGRATIONS = "recovery.migrations"
POOL_SIZE = 20
_MIGRATION_LOCK = 0x63617274  # "cart": any constant, the same in every process

#: What is raised while PostgreSQL is down, restarting, full or undoing a deadlock: the same again later may well work.
#: Tortoise lets the raw ones through. Its own OperationalError is not one of them: that is a wrong value or statement,
#: or a row that is missing, and would fail for ever.
UNAVAILABLE = (
    DBConnectionError,
    ConnectionError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the pool cleaning up after a session that was ended in mid query
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    TimeoutError,
)


def config(url: str) -> dict[str, Any]:
    """Tortoise's configuration for ``url``.

    ``postgres://user:password@host:port/name``, with ``?sslmode=`` as libpq knows it (``require``,
    ``verify-full`` …) and ``&max_size=`` for the connections of one process.

    Raises:
        SetupError: it is no such address.
    """
    credentials, pool_size = _credentials(url)
    connection = {"engine": "tortoise.backends.asyncpg", "credentials": credentials | {"max_size": pool_size}}
    return {
        "connections": {"default": connection},
        "apps": {APP: {"models": MODEL_MODULES, "default_connection": "default", "migrations": MIGRATIONS}},
        "use_tz": True,
        "timezone": "UTC",
    }


def _credentials(url: str) -> tuple[dict[str, Any], int]:
    """What asyncpg connects with, and the size of the pool."""
    form = "Set it to postgres://user:password@host:5432/name."
    try:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        told = {
            "host": parts.hostname,
            "port": parts.port or 5432,
            "user": unquote(parts.username or "") or None,
            "password": unquote(parts.password or "") or None,
            "database": unquote(parts.path.lstrip("/")),
        }
        pool_size = int(options.pop("max_size", POOL_SIZE))
        if "sslmode" in options:
            told["ssl"] = options.pop("sslmode")
    except ValueError as error:
        raise SetupError(f"DATABASE_URL can't be read: {error}.", form) from error
    if parts.scheme not in {"postgres", "postgresql"}:
        raise SetupError(
            f"DATABASE_URL starts with {parts.scheme or 'nothing'}://, but Cartback needs PostgreSQL.", form
        )
    if options or not told["host"] or not told["database"]:
        missing = f"an option {next(iter(options))!r} it doesn't know" if options else "no host or no database name"
        raise SetupError(f"DATABASE_URL has {missing}.", form)
    return told, pool_size


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[None]:
    """Open the models on ``url`` for every task of this process and close the pool on the way out."""
    await Tortoise.init(config=config(url), _enable_global_fallback=True)
    try:
        yield
    finally:
        await Tortoise.close_connections()


async def migrate(url: str) -> None:
    """Bring the schema of ``url`` to the newest state; many processes may call this at once.

    Raises:
        SetupError: the database can't be reached.
    """
    try:
        guard = await asyncpg.connect(**_credentials(url)[0])
    except (*UNAVAILABLE, OSError, asyncpg.PostgresError) as error:
        raise SetupError(f"The database can't be reached: {error}.", "Check DATABASE_URL.") from error
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        await run_migrations(config=config(url))
        await Tortoise.close_connections()
    finally:
        await guard.close()


def client() -> BaseDBAsyncClient:
    """The pool, for a single statement outside a transaction."""
    return get_connection("default")


@asynccontextmanager
async def in_transaction() -> AsyncIterator[BaseDBAsyncClient]:
    """One transaction; however it ends, this task is back on the pool afterwards.

    When PostgreSQL ends the session in BEGIN or while Tortoise cleans up, Tortoise leaves the task on the dead
    connection, so that everything it tries later fails too, and never gives the connection back to the pool.
    """
    connections = get_connections()
    before = connections.get("default")
    transaction = tortoise_transaction()
    try:
        async with transaction as client:
            yield client
    finally:
        if connections.get("default") is not before:
            connections.set("default", before)
            transaction.client._connection.terminate()


async def lock(connection_id: int, name: str) -> None:
    """Serialise everything about one named thing of a shop, even before its row exists, until the transaction ends."""
    await client().execute_query("SELECT pg_advisory_xact_lock($1, hashtext($2))", [connection_id, name])


async def ping() -> None:
    """Ask the database for a sign of life; raises one of ``UNAVAILABLE`` when there is none."""
    async with asyncio.timeout(2):
        await client().execute_query("SELECT 1")


def describe(error: BaseException) -> str:
    """An error of the database for the log: its kind and first line, never its DETAIL, which quotes values."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"


__all__ = ["UNAVAILABLE", "client", "config", "connect", "describe", "in_transaction", "lock", "migrate", "ping"]
