"""One call of the API: who makes it, from where, and what its handler needs."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request

from admin.access import audit
from admin.access.passwords import Passwords
from admin.access.scopes import Caller, Scope
from admin.api.problems import not_found
from recovery.clock import SystemClock
from recovery.models import Store
from recovery.runtime import Runtime


@dataclass
class Call:
    """A call that was let in; ``headers`` are added to its answer, ``drop_session`` takes the browser's cookie."""

    request: Request
    runtime: Runtime
    passwords: Passwords
    caller: Caller | None
    headers: dict[str, str] = field(default_factory=dict)
    drop_session: bool = False

    @property
    def who(self) -> Caller:
        """The caller of an operation that is not open to all."""
        assert self.caller is not None
        return self.caller

    @property
    def now(self) -> datetime:
        """Business time."""
        return self.runtime.now()

    @property
    def machine_now(self) -> datetime:
        """The machine's time, by which sessions and links end."""
        return SystemClock().now()

    @property
    def shows_personal(self) -> bool:
        """Whether addresses and names are shown whole."""
        return self.may("personal:read")

    def may(self, scope: Scope) -> bool:
        """Whether the caller holds a scope."""
        return self.who.may(scope)

    async def store(self, store_id: int) -> Store:
        """A store within the caller's reach.

        Raises:
            Problem: there is none, or it is out of reach.
        """
        found = await Store.get_or_none(id=store_id).prefetch_related("connection")
        if found is None or not self.who.sees(store_id):
            raise not_found("store")
        return found

    def store_filter(self, store_id: int | None) -> list[int] | None:
        """The stores to look at: the one asked for, or all within reach; None when nothing bounds them.

        Raises:
            Problem: the one asked for is out of reach.
        """
        if store_id is not None:
            if not self.who.sees(store_id):
                raise not_found("store")
            return [store_id]
        return None if self.who.store_ids is None else sorted(self.who.store_ids)

    async def note(
        self,
        action: str,
        target: str,
        *,
        store_id: int | None = None,
        before: dict[str, Any] | None = None,
        after: dict[str, Any] | None = None,
    ) -> None:
        """Write what was changed into the audit log, in the handler's transaction."""
        await audit.note(self.caller, action, target, self.machine_now, store_id=store_id, before=before, after=after)
