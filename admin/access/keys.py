"""API keys: made once, shown once, kept as a hash."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from admin.access.scopes import SCOPES, Caller, Scope
from admin.access.tokens import new_token, token_hash
from admin.models import ApiKey

PREFIX = "cbk_"
_USED_EVERY = timedelta(minutes=5)


async def make_key(
    name: str,
    scopes: Sequence[Scope],
    store_ids: Sequence[int] | None,
    created_by: str,
    now: datetime,
    expires_at: datetime | None,
) -> tuple[ApiKey, str]:
    """A new key: its row, and the key itself, which nobody can show again."""
    key = PREFIX + new_token()
    row = await ApiKey.create(
        name=name,
        hint=key[: len(PREFIX) + 4],
        key_hash=token_hash(key),
        scopes=sorted(scopes),
        store_ids=None if store_ids is None else sorted(store_ids),
        created_by=created_by,
        created_at=now,
        expires_at=expires_at,
    )
    return row, key


async def caller_of(key: str, now: datetime) -> Caller | None:
    """Who a key stands for, if it is one of ours and still counts."""
    if not key.startswith(PREFIX):
        return None
    row = await ApiKey.get_or_none(key_hash=token_hash(key), revoked_at=None)
    if row is None or (row.expires_at is not None and row.expires_at <= now):
        return None
    if row.used_at is None or row.used_at + _USED_EVERY <= now:
        await ApiKey.filter(id=row.id).update(used_at=now)
    scopes = frozenset(scope for scope in SCOPES if scope in row.scopes)
    return Caller("key", row.id, row.name, scopes, None if row.store_ids is None else frozenset(row.store_ids))
