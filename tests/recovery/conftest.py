"""Fixtures of the core's tests: a shop that sends signed hooks, observing or live."""

from collections.abc import AsyncIterator

import pytest

from recovery.llm import Llm, ModelProfile, open_llm
from tests.llm_server import KEY, MODEL, LlmServer
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


@pytest.fixture
async def llm() -> AsyncIterator[Llm]:
    """The port to language models, ready to call."""
    async with open_llm() as llm:
        await llm._loaded()  # so that the first call's deadline is not spent on the import
        yield llm


@pytest.fixture
def profile(llm_server: LlmServer) -> ModelProfile:
    """The model of ``llm_server``."""
    return ModelProfile(llm_server.base_url, MODEL, KEY)
