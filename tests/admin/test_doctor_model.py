"""The doctor asks the model that a store has chosen, and says in words why it does not answer."""

from pathlib import Path

import pytest

from admin.doctor import Finding, examine, report_text
from recovery.models import Store
from recovery.secrets import Vault
from recovery.settings import Settings
from recovery.store_settings import seal_secrets
from recovery.stores import registry
from tests.llm_server import KEY, MODEL, LlmServer, refuses, says
from tests.shop import SECRET_KEY, Clock, open_runtime, open_shop, settings_for
from tests.smtp_sink import SmtpSink


@pytest.fixture
async def settings(database_url: str, redis_url: str, smtp_sink: SmtpSink, tmp_path: Path) -> Settings:
    """An installation with one store that nobody is connected to."""
    settings = settings_for(database_url, redis_url, smtp_sink, state_dir=tmp_path)
    async with open_shop(settings):
        return settings


async def models(settings: Settings, secret_key: str = SECRET_KEY, **changes: object) -> list[Finding]:
    """What the doctor says of models after these changes of the store's settings, a key sealed with ``secret_key``."""
    async with open_runtime(settings, Clock()):
        store = await Store.get(code="en")
        await registry.change_settings(store, seal_secrets(Vault([secret_key]), changes))
    return [finding for finding in await examine(settings) if finding.subject.startswith("Model")]


async def test_without_a_model_nothing_is_asked(settings: Settings, llm_server: LlmServer) -> None:
    (found,) = await models(settings, ai_base_url=llm_server.base_url, ai_model=MODEL)
    assert (found.state, "no key is needed" in found.words) == ("note", True)
    assert llm_server.asked == []


async def test_a_model_that_answers(settings: Settings, llm_server: LlmServer) -> None:
    llm_server.script(says("Yes."))
    chosen = {"ai_provider": "openai", "ai_base_url": llm_server.base_url, "ai_model": MODEL, "ai_api_key": KEY}
    unused, duties, found = await models(settings, **chosen, ai_input_price=0.15, ai_output_price=0.6)
    assert (unused.state, "what is built in" in unused.words) == ("note", True)
    assert duties.words == "it scores carts, writes mails and answers customers"
    assert (found.subject, found.state) == ("Model of demo/en", "good")
    assert found.words.startswith("model-a at 127.0.0.1 answers after 0.")
    assert found.words.endswith("; at most 2,000,000 tokens a store and day, which cost 1.20 at most")
    (asked,) = llm_server.asked
    assert "demo" not in str(asked.body)  # nothing of the shop is sent


async def test_a_model_that_does_not_answer(settings: Settings, llm_server: LlmServer) -> None:
    chosen = {"ai_provider": "openai", "ai_base_url": llm_server.base_url, "ai_model": MODEL, "ai_api_key": KEY}
    llm_server.script(refuses(429, "insufficient_quota", f"You have none, {KEY}"))
    _, _, found = await models(settings, **chosen)
    assert (found.state, "credit" in found.fix) == ("wrong", True)
    assert found.words == "model-a at 127.0.0.1: no credit: HTTP 429 insufficient_quota; it says: You have none, ***"
    _, _, found = await models(settings, **chosen | {"ai_api_key": "sk-wrong-0123456789"})
    assert "key refused" in found.words
    assert "sk-wrong" not in await report_text(settings)
    _, _, found = await models(settings, **chosen | {"ai_model": "model-z"})
    assert "model unknown" in found.words
    _, _, found = await models(settings, **chosen | {"ai_base_url": "http://127.0.0.1:1/v1"})
    assert "not reachable from here" in found.words


async def test_what_is_missing_is_said(settings: Settings) -> None:
    _, found = await models(settings, ai_provider="openai")
    assert (found.state, "ai_model" in found.fix) == ("wrong", True)
    another = "another-secret-key-of-another-installation"
    _, found = await models(settings, another, ai_model=MODEL, ai_api_key=KEY)
    assert (found.state, "does not open" in found.words) == ("wrong", True)
