"""Shops and their shop fronts: making them, their mode, the hosts of their links, their hook secrets."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.problems import not_found
from recovery import db
from recovery.models import Connection, Store
from recovery.stores import registry

api = Operations("stores")

Body = ConfigDict(extra="forbid", frozen=True)
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Address = Annotated[str, Field(max_length=1024)]


class StoreRow(BaseModel):
    """A shop front."""

    id: int
    connection: int
    code: str
    name: str
    language: str
    currency: str
    timezone: str
    mode: str = Field(description="observing, live or paused")
    live_since: datetime | None


class ConnectionRow(BaseModel):
    """A shop installation and its shop fronts."""

    id: int
    key: str
    platform: str
    name: str
    base_url: str
    hosts: list[str] = Field(description="Hosts that links and pictures may name")
    hook_url: str
    old_secret_until: datetime | None = Field(description="Until when the secret before this one counts")
    created_at: datetime
    stores: list[StoreRow]


class Connections(BaseModel):
    """All shops within reach."""

    items: list[ConnectionRow]


class NewConnection(BaseModel):
    """A shop that sends hooks."""

    model_config = Body
    key: Code
    name: str = Field(min_length=1, max_length=255)
    base_url: Address


class NewStore(BaseModel):
    """A shop front of a connection."""

    model_config = Body
    code: Code = "default"
    name: str = Field(min_length=1, max_length=255)
    language: str = Field("en", pattern=r"^[a-z]{2,3}([_-][A-Za-z0-9]{2,8})?$")
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    timezone: str = Field("UTC", max_length=64)


class Secret(BaseModel):
    """A hook secret; this is the only time it is told."""

    connection: int
    secret: str


class NewMode(BaseModel):
    """What a store does from now on."""

    model_config = Body
    mode: Literal["observing", "live", "paused"]


class NewHost(BaseModel):
    """One more host."""

    model_config = Body
    host: str = Field(min_length=1, max_length=253)


class Rotation(BaseModel):
    """How long the old secret still counts."""

    model_config = Body
    grace_hours: int = Field(24, ge=0, le=720)


@api.add("GET", "/connections", scope="stores:read")
async def list_connections(call: Call) -> Connections:
    """The shops within reach, each with its shop fronts."""
    rows = await Connection.all().order_by("id").prefetch_related("stores")
    told = [_row(call, row) for row in rows]
    return Connections(items=[row for row in told if row.stores or call.who.store_ids is None])


@api.add("POST", "/connections", scope="stores:write", status=201, secret=True)
async def add_connection(call: Call, body: NewConnection) -> Secret:
    """Add a shop that sends hooks; its secret is told once."""
    async with db.in_transaction():
        row, secret = await registry.add_connection(call.runtime.keys, body.key, body.name, body.base_url, call.now)
        await call.note("connection.added", f"connection {row.id}", after=body.model_dump())
    return Secret(connection=row.id, secret=secret)


@api.add("POST", "/connections/{id}/stores", scope="stores:write", status=201)
async def add_store(call: Call, id: Id, body: NewStore) -> StoreRow:
    """Add a shop front; it only observes until it is set live."""
    connection = await _connection(call, id)
    async with db.in_transaction():
        row = await registry.add_store(
            connection, body.code, body.name, language=body.language, currency=body.currency, timezone=body.timezone
        )
        await call.note("store.added", f"store {row.id}", store_id=row.id, after=body.model_dump())
    return _store_row(row)


@api.add("POST", "/connections/{id}/hosts", scope="stores:write")
async def allow_host(call: Call, id: Id, body: NewHost) -> ConnectionRow:
    """Let links and pictures of a shop name one more host; those of unknown hosts are dropped."""
    connection = await _connection(call, id)
    async with db.in_transaction():
        before = list(connection.hosts)
        after = await registry.allow_host(connection.key, body.host)
        await call.note("connection.host_allowed", f"connection {id}", before={"hosts": before}, after={"hosts": after})
    return _row(call, await Connection.get(id=id).prefetch_related("stores"))


@api.add("POST", "/connections/{id}/secret", scope="stores:write", secret=True)
async def rotate_secret(call: Call, id: Id, body: Rotation) -> Secret:
    """Make a new hook secret, told once; the old one counts for a while."""
    connection = await _connection(call, id)
    async with db.in_transaction():
        secret = await registry.rotate_hook_secret(call.runtime.keys, connection.key, body.grace_hours, call.now)
        await call.note("connection.secret_rotated", f"connection {id}", after=body.model_dump())
    return Secret(connection=id, secret=secret)


@api.add("PUT", "/stores/{id}/mode", scope="stores:write")
async def set_mode(call: Call, id: Id, body: NewMode) -> StoreRow:
    """Let a store observe, go live or pause; live takes only carts that fall idle from now on."""
    await call.store(id)
    async with db.in_transaction():
        row = await Store.select_for_update().get(id=id)
        before = row.mode
        await registry.set_mode(row, body.mode, call.now)
        await call.note("store.mode", f"store {id}", store_id=id, before={"mode": before}, after={"mode": body.mode})
    return _store_row(row)


async def _connection(call: Call, connection_id: int) -> Connection:
    """A connection all of whose stores are within reach: what is changed of it concerns each of them.

    Raises:
        Problem: there is none.
    """
    row = await Connection.get_or_none(id=connection_id).prefetch_related("stores")
    if row is None or (call.who.store_ids is not None and not all(call.who.sees(s.id) for s in row.stores)):
        raise not_found("connection")
    return row


def _row(call: Call, row: Connection) -> ConnectionRow:
    stores: list[Store] = sorted(row.stores, key=lambda store: store.id)
    return ConnectionRow(
        id=row.id,
        key=row.key,
        platform=row.platform,
        name=row.name,
        base_url=row.base_url,
        hosts=row.hosts,
        hook_url=f"{call.runtime.settings.public_url}/hooks/v1/{row.key}",
        old_secret_until=row.previous_hook_secret_until,
        created_at=row.created_at,
        stores=[_store_row(store) for store in stores if call.who.sees(store.id)],
    )


def _store_row(store: Store) -> StoreRow:
    return StoreRow(
        id=store.id,
        connection=store.connection_id,
        code=store.code,
        name=store.name,
        language=store.language,
        currency=store.currency,
        timezone=store.timezone,
        mode=store.mode,
        live_since=store.live_since,
    )
