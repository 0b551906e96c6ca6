"""The real servers of the tests: one private PostgreSQL and Valkey per test process, one database per test."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg

Result = TypeVar("Result")
TEMPLATE = "template_cartback"
# Copying a database is ten times faster in memory than on an ordinary disk.
MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2 << 30
_numbers = itertools.count(1)


@contextmanager
def fast_folder() -> Iterator[Path]:
    """A temporary folder, in memory where there is enough of it."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED
    with tempfile.TemporaryDirectory(prefix="cartback-tests-", dir=MEMORY if in_memory else None) as folder:
        yield Path(folder)


def run_apart(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end in a loop and a thread of its own, so that the test's loop knows nothing of it."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


def database(url: str, name: str) -> str:
    """The address of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def execute(url: str, statement: str) -> None:
    """Run one statement outside any transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def database_copy(server_url: str, template: str) -> Iterator[str]:
    """A new database made from ``template``, dropped at the end even if somebody is still connected."""
    name = f"test_{next(_numbers)}"
    run_apart(execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy"))
    try:
        yield database(server_url, name)
    finally:
        run_apart(execute(server_url, f"DROP DATABASE {name} WITH (FORCE)"))
