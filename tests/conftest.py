"""Fixtures of every test: real servers, a migrated database each, and an SMTP sink."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from recovery import db as recovery_db
from recovery.embedded import EmbeddedServers, Endpoints
from tests.coupon_shop import CouponShop, CouponShopThread
from tests.llm_server import LlmServer, LlmThread
from tests.servers import TEMPLATE, database, database_copy, execute, fast_folder, run_apart
from tests.shop import READY, Shop, open_shop, settings_for
from tests.smtp_sink import SinkThread, SmtpSink

pytest_plugins = ["tests.skipping"]


# The fixtures that last a session are synchronous: every test has an event loop of its own.
@pytest.fixture(scope="session")
def servers() -> Iterator[Endpoints]:
    """A private PostgreSQL and Valkey, shared by the tests of this process."""
    with fast_folder() as folder, EmbeddedServers(folder, durable=False) as endpoints:
        yield endpoints


@pytest.fixture(scope="session")
def template_database(servers: Endpoints) -> str:
    """The name of a migrated database that nobody connects to, so that it can be copied."""
    run_apart(execute(servers.database_url, f"CREATE DATABASE {TEMPLATE}"))
    run_apart(recovery_db.migrate(database(servers.database_url, TEMPLATE)))
    return TEMPLATE


@pytest.fixture
def database_url(servers: Endpoints, template_database: str) -> Iterator[str]:
    """The address of a migrated, empty database of this test's own."""
    with database_copy(servers.database_url, template_database) as url:
        yield url


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[None]:
    """The models, open on ``database_url``."""
    async with recovery_db.connect(database_url):
        yield


@pytest.fixture
def redis_url(servers: Endpoints) -> str:
    """The address of an empty Valkey."""
    with redis.Redis.from_url(servers.redis_url) as client:
        client.flushall()
    return servers.redis_url


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A real SMTP server that records what it accepts; ``sink.answer(...)`` makes it misbehave."""
    with SinkThread() as sink:
        yield sink


@pytest.fixture
def llm_server() -> Iterator[LlmServer]:
    """A real OpenAI-compatible server that records what it is asked; ``server.script(...)`` makes it misbehave."""
    with LlmThread() as server:
        yield server


@pytest.fixture
def till() -> Iterator[CouponShop]:
    """A real shop's coupon call-back; ``till.script(Fault(status=500))`` makes it misbehave."""
    with CouponShopThread() as till:
        yield till


@pytest.fixture
async def shop(database_url: str, redis_url: str) -> AsyncIterator[Shop]:
    """A shop whose store observes."""
    async with open_shop(settings_for(database_url, redis_url)) as shop:
        yield shop


@pytest.fixture
async def live(database_url: str, redis_url: str, smtp_sink: SmtpSink) -> AsyncIterator[Shop]:
    """A shop whose store is live, may write to everybody, and sends to ``smtp_sink``."""
    async with open_shop(settings_for(database_url, redis_url, smtp_sink)) as shop:
        await shop.set(**READY)
        await shop.go("live")
        yield shop
