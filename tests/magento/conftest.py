"""Fixtures of the Magento tests: the fake shop on its own clock."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.magento.desk import Desk, open_desk
from tests.magento.fake import FakeMagento, running_magento
from tests.shop import Clock
from tests.smtp_sink import SmtpSink


@pytest.fixture
def clock() -> Clock:
    """Business time, and the fake shop's."""
    return Clock()


@pytest.fixture
def magento(clock: Clock) -> Iterator[FakeMagento]:
    """A shop in the style of the recorded one: two store views, euro and zloty, prices with tax."""
    with running_magento(clock.now) as fake:
        yield fake


@pytest.fixture
async def desk(
    database_url: str, redis_url: str, smtp_sink: SmtpSink, magento: FakeMagento, clock: Clock
) -> AsyncIterator[Desk]:
    """A Cartback that reads the fake shop, live in both store views."""
    async with open_desk(database_url, redis_url, smtp_sink, magento, clock) as desk:
        yield desk
