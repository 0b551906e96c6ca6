"""The settings of the language model: the key is stored encrypted, shown to nobody, and opened for the port alone."""

import os
import subprocess
import sys

import pytest

from recovery.cli import _secret
from recovery.models import Installation, Store
from recovery.secrets import Vault
from recovery.store_settings import SettingRefused, StoreSettings, merge, seal_secrets
from recovery.stores import registry
from tests.shop import SECRET_KEY, Shop

KEY = "sk-canary-8d27c5e1f04b9a63-wxyz"
VAULT = Vault([SECRET_KEY])


def in_force(**changes: object) -> StoreSettings:
    return merge({}, seal_secrets(VAULT, changes), {})[1]


def test_a_key_is_stored_encrypted_and_shown_by_its_end() -> None:
    settings = in_force(ai_api_key=KEY)
    assert KEY not in str(settings.model_dump())
    assert settings.shown()["ai_api_key"] == "set, ends in …wxyz"
    assert in_force(ai_api_key="short-key").shown()["ai_api_key"] == "set"
    assert StoreSettings().shown()["ai_api_key"] is None


@pytest.mark.parametrize("wrong", ["", "two words", "line\nbreak", "klucz-ąę", 12345, ["x"], "x" * 501])
def test_a_key_that_is_none_is_refused_without_being_repeated(wrong: object) -> None:
    with pytest.raises(SettingRefused, match="^ai_api_key: must be one word") as caught:
        seal_secrets(VAULT, {"ai_api_key": wrong})
    assert not wrong or str(wrong) not in str(caught.value)


def test_a_key_in_the_clear_can_not_be_stored() -> None:
    with pytest.raises(SettingRefused, match="must be encrypted") as caught:
        merge({}, {"ai_api_key": KEY}, {})
    assert KEY not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("http://127.0.0.1:11434/v1/chat/completions", "http://127.0.0.1:11434/v1"),
        ("api.example.com/v1", None),
        ("ftp://example.com", None),
        ("https://", None),
        ("https://key@example.com/v1", None),
        ("https://example.com/v1?api-version=1", None),
    ],
)
def test_addresses_of_models(url: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(SettingRefused, match="ai_base_url: must"):
            in_force(ai_base_url=url)
    else:
        assert in_force(ai_base_url=url).ai_base_url == kept


async def test_a_store_inherits_the_key_and_can_have_its_own(shop: Shop) -> None:
    vault = shop.runtime.keys.vault
    await registry.save_settings(vault, None, {"ai_api_key": KEY})
    own = "sk-of-this-store-only-0001"
    assert (await shop.in_force()).settings.shown()["ai_api_key"] == "set, ends in …wxyz"
    await registry.save_settings(vault, "demo/en", {"ai_api_key": own})
    assert (await shop.in_force()).settings.shown()["ai_api_key"] == "set, ends in …0001"
    stored = str(await Installation.all().values()) + str(await Store.all().values())
    assert KEY not in stored
    assert own not in stored
    await registry.save_settings(vault, "demo/en", {"ai_api_key": None})
    assert (await shop.in_force()).settings.shown()["ai_api_key"] == "set, ends in …wxyz"


def command(database_url: str, redis_url: str, *words: str, given: str = "") -> str:
    """Run the command line in a process of its own; everything it prints."""
    environment = os.environ | {
        "DATABASE_URL": database_url, "REDIS_URL": redis_url, "CARTBACK_SECRET_KEY": SECRET_KEY
    }  # fmt: skip
    run = [sys.executable, "-m", "recovery.cli", "settings", *words]
    done = subprocess.run(run, env=environment, input=given, capture_output=True, text=True, check=True)
    return done.stdout + done.stderr


def test_the_command_line_takes_a_key_and_never_gives_it_back(database_url: str, redis_url: str) -> None:
    told = command(database_url, redis_url, "set", "ai_api_key", "-", given=f"{KEY}\n")
    told += command(database_url, redis_url, "list")
    assert KEY not in told
    assert told.count("set, ends in …wxyz") == 2


def test_a_key_of_digits_is_no_number() -> None:
    assert _secret("ai_api_key", "123456") == "123456"
    assert _secret("ai_api_key", "null") is None
