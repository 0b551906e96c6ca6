"""Fixtures of the core's tests: the port to language models, and a model to ask."""

from collections.abc import AsyncIterator

import pytest

from recovery.llm import Llm, ModelProfile, open_llm
from tests.llm_server import KEY, MODEL, LlmServer


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
