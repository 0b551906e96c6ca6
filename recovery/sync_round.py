"""One round over a shop: its connection, connector, stores and cursors, and what has been done so far."""

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from recovery import db
from recovery.models import Connection, Store, SyncState
from recovery.runtime import Runtime
from recovery.stores.base import Connector, ShopFront
from recovery.stores.connectors import front_of
from recovery.stores.registry import StoreInForce, in_force

#: As long as a job may take: a page with a row that hangs is silent for long.
LEASE_SECONDS = 420
#: A round ends here and the next goes on where it stopped; the worker gives a job somewhat more.
BUDGET_SECONDS = 240.0

_TAKE = """
UPDATE sync_state SET holder = $1, lease_until = now() + make_interval(secs => $2)
 WHERE id = $3 AND (lease_until IS NULL OR lease_until < now() OR holder = $1)
"""
_DROP = "UPDATE sync_state SET holder = NULL, lease_until = NULL WHERE id = $1 AND holder = $2"


class LeaseLost(Exception):
    """Another process reads this shop now."""


@dataclass
class Round:
    """What every part of a round works with; ``counts`` is what it did."""

    runtime: Runtime
    connection: Connection
    connector: Connector
    stores: dict[str, StoreInForce]
    fronts: dict[str, ShopFront]
    state: SyncState
    counts: dict[str, int] = field(default_factory=dict)
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    started: float = field(default_factory=time.monotonic)
    budget: float = BUDGET_SECONDS

    def count(self, what: str, number: int = 1) -> None:
        """Note that something was done so many times."""
        if number:
            self.counts[what] = self.counts.get(what, 0) + number

    def now(self) -> datetime:
        """Business time."""
        return self.runtime.now()

    @property
    def is_over(self) -> bool:
        """Whether the round has used up its time."""
        return time.monotonic() - self.started > self.budget

    @property
    def window(self) -> timedelta:
        """How far back a cart may have been touched to be of interest to any store."""
        return timedelta(hours=max(store.settings.look_back_hours for store in self.stores.values()))

    def store_of(self, external_id: str) -> StoreInForce | None:
        """The store made from a shop front; None for one that was not chosen."""
        return self.stores.get(external_id)

    async def hold(self) -> bool:
        """Take or renew the right to read this shop; whether nobody else has it."""
        held, _ = await db.client().execute_query(_TAKE, [self.holder, LEASE_SECONDS, self.state.id])
        return bool(held)

    async def save(self, *fields: str) -> None:
        """Keep cursors and progress after a page.

        Raises:
            LeaseLost: another process has taken over.
        """
        if not await self.hold():
            raise LeaseLost
        self.state.progress = {"counts": dict(self.counts), "at": self.now().isoformat()}
        await self.state.save(update_fields=[*fields, "progress"])

    async def release(self) -> None:
        """Let the next round begin at once."""
        await db.client().execute_query(_DROP, [self.state.id, self.holder])


async def begin(runtime: Runtime, connection: Connection, connector: Connector) -> Round:
    """A round over one shop, with the stores that were made of its shop fronts."""
    state = await SyncState.get_or_none(connection_id=connection.id)
    if state is None:
        await SyncState.bulk_create([SyncState(connection_id=connection.id)], ignore_conflicts=True)
        state = await SyncState.get(connection_id=connection.id)
    stores: dict[str, StoreInForce] = {}
    fronts: dict[str, ShopFront] = {}
    for store in await Store.filter(connection_id=connection.id, external_id__isnull=False).order_by("id"):
        front = front_of(store)
        if front is not None:
            stores[front.external_id], fronts[front.external_id] = await in_force(store), front
    return Round(runtime, connection, connector, stores, fronts, state)
