"""Fixtures of the Magento tests: the fake shop on its own clock."""

from collections.abc import Iterator

import pytest

from tests.magento.fake import FakeMagento, running_magento
from tests.shop import Clock


@pytest.fixture
def clock() -> Clock:
    """Business time, and the fake shop's."""
    return Clock()


@pytest.fixture
def magento(clock: Clock) -> Iterator[FakeMagento]:
    """A shop in the style of the recorded one: two store views, euro and zloty, prices with tax."""
    with running_magento(clock.now) as fake:
        yield fake
