"""What makes an installation itself: its keys, opened or made at the first start, and its default store settings."""

import secrets
from pathlib import Path
from typing import Any

from recovery.errors import SetupError
from recovery.models import Installation
from recovery.secrets import Keys, Vault
from recovery.settings import Settings
from recovery.store_settings import StoreSettings, merge

ROW = "main"


async def load_keys(settings: Settings) -> Keys:
    """Open the installation's keys, making them at the first start.

    Raises:
        SetupError: there is no secret key, or the stored secrets were made with another one.
    """
    secret_keys = [_secret_key(settings), *(key.get_secret_value() for key in settings.previous_secret_keys)]
    vault = Vault(secret_keys)
    row = await Installation.get_or_none(name=ROW)
    if row is None:
        # Two processes may start at once: the first row wins and both read it back.
        fresh = Installation(
            name=ROW, pepper=vault.seal(secrets.token_hex(32)), unsubscribe_key=vault.seal(secrets.token_hex(32))
        )
        await Installation.bulk_create([fresh], ignore_conflicts=True)
        row = await Installation.get(name=ROW)
    return Keys(
        secret_keys=tuple(secret_keys),
        vault=vault,
        pepper=bytes.fromhex(vault.open(row.pepper)),
        unsubscribe_key=bytes.fromhex(vault.open(row.unsubscribe_key)),
    )


def _secret_key(settings: Settings) -> str:
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value()
    path: Path = settings.state_dir / "secret.key"
    if path.exists():
        return path.read_text().strip()
    raise SetupError(
        "There is no secret key.", "Set CARTBACK_SECRET_KEY (32 characters or more, e.g. from openssl rand -hex 32)."
    )


async def default_settings() -> tuple[dict[str, Any], int]:
    """The settings that all stores inherit unless they differ, and their version."""
    row = await Installation.get(name=ROW).only("settings", "settings_version")
    return row.settings, row.settings_version


async def save_default_settings(changes: dict[str, Any]) -> StoreSettings:
    """Change what all stores inherit; a null value goes back to the built-in default.

    Raises:
        SettingRefused: a name or value is wrong; nothing is changed.
    """
    row = await Installation.get(name=ROW)
    values, effective = merge(row.settings, changes, inherited={})
    await Installation.filter(name=ROW).update(settings=values, settings_version=row.settings_version + 1)
    return effective
