"""Fixtures of the tests of what breaks: a shop that sends signed hooks, observing or live."""

from collections.abc import AsyncIterator

import pytest

from tests.shop import READY, Shop, open_shop, settings_for
from tests.smtp_sink import SmtpSink


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
