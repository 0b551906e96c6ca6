"""Fixtures of the admin page's tests: a live shop on this machine, and a visitor who is signed in."""

import httpx2
import pytest

from admin.signin import make_admin_link
from recovery.clock import SystemClock
from tests.shop import Shop


@pytest.fixture
def shop(live: Shop) -> Shop:
    """A live shop that may write to everybody; its client comes from this machine."""
    return live


@pytest.fixture
async def admin(shop: Shop) -> httpx2.AsyncClient:
    """The shop's client, signed in."""
    response = await shop.client.get(await make_admin_link(SystemClock().now()))
    assert response.headers["location"] == "/admin"
    return shop.client
