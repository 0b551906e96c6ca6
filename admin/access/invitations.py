"""Mails with a link to set a password: by the first store in the person's reach that can send."""

import tomllib
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from admin.access.users import LinkKind, make_link
from admin.models import User
from recovery import db, notices
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce, all_in_force

LANGUAGES = ("en", "pl")


def link_address(runtime: Runtime, token: str) -> str:
    """Where a link leads; the token is behind the ``#``, so that no server's log ever holds it."""
    return f"{runtime.settings.public_url}/admin/password#{token}"


async def mail_link(runtime: Runtime, user: User, kind: LinkKind, machine_now: datetime) -> tuple[str, bool]:
    """Make a link and mail it if any store can send; its address, and whether a mail is on its way."""
    sender = await _sender(user)
    async with db.in_transaction():
        address = link_address(runtime, await make_link(user, kind, machine_now))
        if sender is not None:
            # Encrypted, as whoever reads the database must not be able to open it.
            words = _words(user, kind, sender) | {"sealed_url": runtime.keys.vault.seal(address)}
            key = f"{kind}-{user.id}-{machine_now.isoformat()}"
            await notices.write(sender.row.id, kind, key, user.email, words, runtime.now())
    if sender is not None:
        await runtime.doorbell.ring("notice")
    return address, sender is not None


async def _sender(user: User) -> StoreInForce | None:
    for store in await all_in_force():
        mine = user.store_ids is None or store.row.id in user.store_ids
        if mine and store.settings.sender_address and store.row.mode != "paused":
            return store
    return None


def _words(user: User, kind: LinkKind, sender: StoreInForce) -> dict[str, Any]:
    texts = _texts(user.language if user.language in LANGUAGES else "en")[kind]
    return {
        "subject": texts["subject"],
        "paragraphs": [line.format(shops=sender.row.name) for line in texts["paragraphs"]],
        "button": texts["button"],
        "foot": texts["foot"],
    }


@cache
def _texts(language: str) -> dict[str, Any]:
    return tomllib.loads(files("admin").joinpath("locale", f"{language}.toml").read_text("utf-8"))
