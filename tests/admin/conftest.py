"""Fixtures of the admin page's tests: a live shop on this machine, and a visitor who is signed in."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from admin.signin import make_admin_link
from recovery.clock import SystemClock
from tests.shop import READY, Shop, open_shop, settings_for
from tests.smtp_sink import SmtpSink


@pytest.fixture
async def shop(database_url: str, redis_url: str, smtp_sink: SmtpSink) -> AsyncIterator[Shop]:
    """A live shop that may write to everybody; its client comes from this machine."""
    async with open_shop(settings_for(database_url, redis_url, smtp_sink)) as shop:
        await shop.set(**READY)
        await shop.go("live")
        yield shop


@pytest.fixture
async def admin(shop: Shop) -> httpx2.AsyncClient:
    """The shop's client, signed in."""
    response = await shop.client.get(await make_admin_link(SystemClock().now()))
    assert response.headers["location"] == "/admin"
    return shop.client
