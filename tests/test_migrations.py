"""The schema's history: it is complete, made of safe operations only, and may be applied by many at once."""

import asyncio
import importlib
import pkgutil
import sys

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.fields import Field
from tortoise.migrations import operations as ops
from tortoise.migrations.autodetector import MigrationAutodetector

import recovery.migrations
from recovery import db
from recovery.embedded import Endpoints
from recovery.errors import SetupError
from tests.servers import database, execute

# A null or database-side default, or the statement fails on a table with rows; nothing that rewrites or drops.
SAFE = (ops.CreateModel, ops.AddField, ops.AddIndex, ops.RunSQL)


def migrations() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(recovery.migrations.__path__))


def test_only_safe_operations() -> None:
    assert migrations()
    for name in migrations():
        migration = importlib.import_module(f"recovery.migrations.{name}").Migration
        for operation in migration.operations:
            assert isinstance(operation, SAFE), f"{name}: {type(operation).__name__}"
            if isinstance(operation, ops.AddField):
                field = operation.field
                assert isinstance(field, Field)
                assert field.null or field.has_db_default(), f"{name}: {operation.name} needs null or db_default"


async def test_the_migrations_make_the_models(database_url: str) -> None:
    config = db.config(database_url)
    async with db.connect(database_url):
        assert Tortoise.apps is not None
        writers = await MigrationAutodetector(Tortoise.apps, config["apps"]).changes()
    changes = [operation for writer in writers for operation in writer.operations]
    # A docstring is kept as the table's comment; that it was reworded is no change of the schema.
    real = [operation for operation in changes if not isinstance(operation, ops.AlterModelOptions)]
    assert real == [], "run `tortoise makemigrations`: models and migrations differ"


async def test_many_processes_may_migrate_at_once(servers: Endpoints) -> None:
    name = "test_migrating_at_once"
    await execute(servers.database_url, f"CREATE DATABASE {name}")
    url = database(servers.database_url, name)
    script = f"import asyncio; from recovery import db; asyncio.run(db.migrate({url!r}))"
    try:
        processes = [await asyncio.create_subprocess_exec(sys.executable, "-c", script) for _ in range(3)]
        assert [await process.wait() for process in processes] == [0, 0, 0]
        connection = await asyncpg.connect(url)
        applied = await connection.fetchval("SELECT count(*) FROM tortoise_migrations")
        await connection.close()
        assert applied == len(migrations())
    finally:
        await execute(servers.database_url, f"DROP DATABASE {name} WITH (FORCE)")


async def test_an_unreachable_database_is_said_in_words() -> None:
    with pytest.raises(SetupError, match="DATABASE_URL"):
        await db.migrate("postgres://nobody:nothing@127.0.0.1:1/none")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite://here", "needs PostgreSQL"),
        ("postgres://user@host:port/name", "can't be read"),
        ("postgres://user@host", "no database name"),
        ("postgres://user@host/name?ssl_mode=require", "an option 'ssl_mode'"),
    ],
)
def test_a_wrong_address_is_said_in_words(url: str, words: str) -> None:
    with pytest.raises(SetupError, match=words):
        db.config(url)


def test_an_address_may_ask_for_tls_and_hold_any_password() -> None:
    told = db.config("postgres://user:p%40ss%2Fword@db.example:6432/name?sslmode=require")
    credentials = told["connections"]["default"]["credentials"]
    assert credentials["password"] == "p@ss/word"
    assert (credentials["host"], credentials["port"], credentials["ssl"]) == ("db.example", 6432, "require")
