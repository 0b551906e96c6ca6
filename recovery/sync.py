"""Reads the shops that are asked: orders first, then carts, then the catalogue, each from its cursor."""

import time
from datetime import timedelta

import structlog

from recovery import sync_carts, sync_catalogue, sync_orders, sync_pages
from recovery.errors import CartbackError
from recovery.models import Connection, SyncState
from recovery.runtime import Runtime
from recovery.stores.base import ShopAway, ShopError
from recovery.stores.connecting import keep_front
from recovery.stores.connectors import ASKED, open_connector
from recovery.sync_round import BUDGET_SECONDS, LeaseLost, Round, begin

#: Carts are read this often at most, and never for more than a tenth of the time.
EVERY = timedelta(minutes=2)
REST_FACTOR = 9
AWAY_FIRST, AWAY_LATEST = timedelta(minutes=1), timedelta(minutes=15)

log = structlog.get_logger()


async def due(runtime: Runtime) -> list[Connection]:
    """The connections whose shop is to be asked now."""
    connections = await Connection.filter(platform__in=ASKED).order_by("id")
    states = {state.connection_id: state for state in await SyncState.all()}
    now = runtime.now()
    return [c for c in connections if (s := states.get(c.id)) is None or s.due_at is None or s.due_at <= now]


async def sync(runtime: Runtime, connection: Connection, *, full: bool = False) -> dict[str, int]:
    """One round over one shop; what it did. ``full`` reads everything anew, whatever the cursors say.

    Raises:
        ShopError: the shop can't be read; the next round goes on where this one stopped.
    """
    async with open_connector(connection, runtime.keys.vault, runtime.now) as connector:
        if connector is None:
            return {}
        run = await begin(runtime, connection, connector)
        if not run.stores or not await run.hold():
            return {}
        started = time.monotonic()
        try:
            if full:
                await _forget_cursors(run)
            await sync_orders.read(run)
            await sync_carts.read(run)
            await sync_catalogue.read(run)
            await sync_pages.read(run)
        except LeaseLost:
            return run.counts
        except ShopError as error:
            await _failed(run, error)
            raise
        else:
            await _rest(run, time.monotonic() - started)
        finally:
            await run.release()
    return run.counts


async def sync_all(runtime: Runtime) -> tuple[dict[str, int], list[str]]:
    """A round over every shop that is due: what was done in all, and what went wrong, by connection."""
    counts: dict[str, int] = {}
    errors: list[str] = []
    started = time.monotonic()
    for connection in await due(runtime):
        if time.monotonic() - started > BUDGET_SECONDS:
            break  # the job would be cut off; who is left over is due at the next one
        done, failed = await sync_named(runtime, connection.key)
        counts = {name: counts.get(name, 0) + done.get(name, 0) for name in {*counts, *done}}
        errors += failed
    return counts, errors


async def sync_named(runtime: Runtime, key: str, *, full: bool = False) -> tuple[dict[str, int], list[str]]:
    """A round over one shop that never raises for the shop's sake: what was done, and what went wrong."""
    try:
        return await sync(runtime, await Connection.get(key=key), full=full), []
    except CartbackError as error:
        log.warning("sync.failed", connection=key, cause=str(error)[:300])
        return {}, [f"{key}: {error}"]


async def _forget_cursors(run: Round) -> None:
    for front in await run.connector.fronts():
        if front.external_id in run.stores:
            await keep_front(run.connection, front)
    state = run.state
    state.orders_since = state.orders_started = state.carts_started = None
    state.orders_after = state.carts_after = 0
    state.unreadable, state.catalogue, state.pages = [], {}, None
    await run.save(
        "orders_since", "orders_started", "orders_after", "carts_started", "carts_after", "unreadable", "catalogue",
        "pages",
    )  # fmt: skip


async def _failed(run: Round, error: ShopError) -> None:
    state = run.state
    state.failures += 1
    pause = min(AWAY_FIRST * 2 ** min(state.failures - 1, 10), AWAY_LATEST)
    if isinstance(error, ShopAway) and error.retry_after:
        pause = max(pause, timedelta(seconds=min(error.retry_after, 3600)))
    state.due_at, state.error = run.now() + pause, str(error)[:1000]
    await state.save(update_fields=["failures", "due_at", "error"])


async def _rest(run: Round, seconds: float) -> None:
    """When to come again: at once while a list is half read, else after a rest nine times as long as the work."""
    state = run.state
    half = state.carts_started or state.orders_started or any("started" in c for c in state.catalogue.values())
    state.due_at = run.now() + (timedelta(0) if half else max(EVERY, timedelta(seconds=seconds * REST_FACTOR)))
    state.failures = 0
    state.error = None
    await state.save(update_fields=["due_at", "failures", "error"])
