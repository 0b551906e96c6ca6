"""Keeps the shop's pages and blocks that the merchant ticked as policies: chosen, read anew, and forgotten."""

from datetime import datetime
from typing import get_args

import structlog

from recovery import db, products
from recovery.errors import CartbackError, NotFound
from recovery.models import ShopPage, Store
from recovery.stores.base import Connector, ShopAway, ShopError, ShopFront, ShopText
from recovery.stores.catalogue import PolicyPayload
from recovery.stores.connectors import front_of
from recovery.stores.snapshots import PolicySnapshot
from recovery.sync_catalogue import CHANGES_EVERY, EVERYTHING_EVERY, is_due
from recovery.sync_orders import OVERLAP
from recovery.sync_round import Round

POLICY_KINDS: tuple[str, ...] = get_args(PolicyPayload.model_fields["kind"].annotation)

log = structlog.get_logger()


async def use(store: Store, connector: Connector, name: str, used_as: str, now: datetime) -> ShopPage:
    """Take a page or block, named like ``page:size-guide`` or ``block:12``, as a policy of one kind, at once.

    Raises:
        NotFound: the store view shows none such.
        CartbackError: it has no text, or there is no such kind of policy.
        ShopError: the shop can't be asked.
    """
    if used_as not in POLICY_KINDS:
        raise CartbackError(f"{used_as!r} is no kind of policy; there are {', '.join(POLICY_KINDS)}.")
    front = _front(store)
    kind, _, called = name.partition(":")
    offered = [told for told in await connector.texts(front) if told.kind == kind]
    found = next((told for told in offered if called in (told.identifier, told.external_id)), None)
    if found is None:
        raise NotFound(f"The store view shows no {name!r}; `cartback stores pages list` shows what there is.")
    read = await connector.texts_by_id(found.kind, [found.external_id], front, None)
    if not read or not read[0].text:
        raise CartbackError(f"{name!r} has no text of its own to read, only widgets or pictures.")
    (told,) = read
    async with db.in_transaction():
        row, _ = await ShopPage.update_or_create(
            defaults={
                "identifier": told.identifier,
                "title": told.title,
                "used_as": used_as,
                "read_at": now,
                "missing_since": None,
            },
            store_id=store.id,
            kind=told.kind,
            external_id=told.external_id,
        )
        await products.take_policies(store, [_policy(row, front, told, now)])
    return row


async def forget(store: Store, name: str, now: datetime) -> None:
    """Use a page or block no more; its policy is gone at once.

    Raises:
        NotFound: it was not in use.
    """
    kind, _, called = name.partition(":")
    rows = await ShopPage.filter(store_id=store.id, kind=kind)
    row = next((row for row in rows if called in (row.identifier, row.external_id)), None)
    if row is None:
        raise NotFound(f"{name!r} is not in use; `cartback stores pages list` shows what is.")
    async with db.in_transaction():
        await products.take_policies(store, [_policy(row, _front(store), None, now)])
        await row.delete()


async def read(run: Round) -> None:
    """Read the ticked pages anew: those that changed, and all of them once a day.

    A right that was taken away stops nothing else; the doctor tells of it.
    """
    known = {store.row.id: (store.row, run.fronts[number]) for number, store in run.stores.items()}
    rows = await ShopPage.filter(store_id__in=list(known)).order_by("id")
    cursor = dict(run.state.pages or {})
    now = run.now()
    if not rows or run.is_over or not is_due(cursor.get("read_at"), CHANGES_EVERY, now):
        return
    whole = is_due(cursor.get("whole_at"), EVERYTHING_EVERY, now)
    since = None if whole else datetime.fromisoformat(cursor["read_at"]) - OVERLAP
    try:
        for store, front in known.values():
            await _read_store(run, store, front, [row for row in rows if row.store_id == store.id], since)
    except ShopAway:
        raise
    except ShopError as error:
        log.warning("sync.pages_failed", connection=run.connection.key, cause=str(error))
        run.state.pages = cursor | {"error": str(error)[:255], "read_at": now.isoformat()}
    else:
        told = {"read_at": now.isoformat(), "whole_at": now.isoformat() if whole else cursor["whole_at"]}
        run.state.pages = told
    await run.save("pages")


async def _read_store(run: Round, store: Store, front: ShopFront, rows: list[ShopPage], since: datetime | None) -> None:
    for kind in ("page", "block"):
        mine = {row.external_id: row for row in rows if row.kind == kind}
        if not mine:
            continue
        found = {told.external_id: told for told in await run.connector.texts_by_id(kind, list(mine), front, since)}
        changed = [(mine[number], told) for number, told in found.items() if number in mine]
        gone: list[tuple[ShopPage, ShopText | None]] = []
        if since is None:
            gone = [(row, None) for number, row in mine.items() if number not in found]
        for row, told in [*changed, *gone]:
            await _keep(store, front, row, told if told and told.active else None, run.now())
            run.count("pages")


async def _keep(store: Store, front: ShopFront, row: ShopPage, told: ShopText | None, now: datetime) -> None:
    async with db.in_transaction():
        await products.take_policies(store, [_policy(row, front, told, now)])
        row.read_at = now
        row.missing_since = None if told else row.missing_since or now
        row.title = told.title if told else row.title
        await row.save(update_fields=["read_at", "missing_since", "title"])


def _policy(row: ShopPage, front: ShopFront, told: ShopText | None, now: datetime) -> PolicySnapshot:
    return PolicySnapshot(
        key=f"shop-{row.kind}-{row.external_id}",
        kind=row.used_as,
        locale=front.locale,
        title=told.title if told else row.title,
        text=told.text if told else "",
        occurred_at=now,
        url=told.url if told else None,
    )


def _front(store: Store) -> ShopFront:
    front = front_of(store)
    if front is None:
        raise CartbackError(f"{store.code} is not read from a shop; it sends its policies by hooks.")
    return front
