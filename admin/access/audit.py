"""What was changed, by whom: written in the transaction that makes the change."""

from datetime import datetime
from typing import Any

import structlog

from admin.access.scopes import Caller
from admin.models import AuditEntry
from recovery.store_settings import SECRET_SETTINGS


async def note(
    caller: Caller | None,
    action: str,
    target: str,
    now: datetime,
    *,
    store_id: int | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one entry; ``caller`` None is the command line of this machine."""
    await AuditEntry.create(
        at=now,
        actor_kind=caller.kind if caller else "cli",
        actor_id=caller.id if caller else None,
        actor_name=caller.name if caller else "command line",
        action=action,
        target=target,
        store_id=store_id,
        before=_without_secrets(before),
        after=_without_secrets(after),
        request_id=structlog.contextvars.get_contextvars().get("request"),
    )


def _without_secrets(values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {name: "set" if name in SECRET_SETTINGS and value else value for name, value in values.items()}
