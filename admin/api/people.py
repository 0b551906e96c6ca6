"""People by their address: who is not written to, what is held about somebody, and forgetting it."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from admin import rights
from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.paging import Page, PageQuery, page_of, read_cursor
from admin.api.problems import Problem, not_found
from admin.api.sql import Where, count, rows
from recovery import db
from recovery.carts import take_back_for_person
from recovery.models import Connection, Store, Suppression
from recovery.persons import MERCHANTS, latest_consent, lift_suppression, lock_persons, suppress
from recovery.text import email_address

api = Operations("people")

Body = ConfigDict(extra="forbid", frozen=True)
Cause = Literal["unsubscribe", "complaint", "bounce", "objection", "manual", "erased"]
_ROWS = """
SELECT s.id, s.email_hash, s.cause, s.detail, s.at, s.connection_id, s.store_id FROM suppression s
 WHERE {where} ORDER BY s.at DESC, s.id DESC LIMIT {limit}
"""


class SuppressionQuery(PageQuery):
    """Which suppressions; those that count for a whole connection are of each of its stores."""

    store: int | None = Field(None, ge=1, le=2**31 - 1)
    cause: Cause | None = None
    q: str | None = Field(None, max_length=254, description="An address")


class SuppressionRow(BaseModel):
    """Somebody who is not written to."""

    id: int
    person: str = Field(description="The keyed hash of the address; the address itself is not kept")
    cause: str
    detail: str | None
    at: datetime
    connection: int
    store: int | None = Field(description="Null: at every store of the connection")


class Whom(BaseModel):
    """Somebody, at one store or, without one, at every connection within reach."""

    model_config = Body
    email: str = Field(min_length=3, max_length=254)
    store: int | None = Field(None, ge=1, le=2**31 - 1)


class Person(BaseModel):
    """Somebody by their address."""

    model_config = Body
    email: str = Field(min_length=3, max_length=254)


class Erasure(Person):
    """Whom to forget."""

    dry_run: bool = Field(False, description="Count what would go, and change nothing")


class Standing(BaseModel):
    """Whether somebody may be written to at one place."""

    connection: int
    store: int | None
    in_force: list[str] = Field(description="Causes that keep mails back; empty if nothing does")
    consent: bool | None = Field(description="The latest word about marketing mail; null without any")
    consent_at: datetime | None


class Standings(BaseModel):
    """Whether somebody may be written to, place by place."""

    person: str
    items: list[Standing]


class Held(BaseModel):
    """Everything held about somebody, by connection, package and table."""

    address: str
    exported_at: datetime
    connections: dict[str, Any]


class Forgotten(BaseModel):
    """What went, or would go, by kind."""

    dry_run: bool
    counts: dict[str, int]


@api.add("GET", "/suppressions", scope="people:read")
async def list_suppressions(call: Call, query: SuppressionQuery) -> Page[SuppressionRow]:
    """Who is not written to, newest first."""
    where = Where().add("s.lifted_at IS NULL")
    ids = call.store_filter(query.store)
    if ids is not None:
        where.add(
            "(s.store_id = ANY({}::int[]) OR s.store_id IS NULL AND s.connection_id IN "
            "(SELECT connection_id FROM store WHERE id = ANY({}::int[])))", ids, ids,
        )  # fmt: skip
    where.given("s.cause = {}", query.cause)
    if query.q:
        where.add("s.email_hash = {}", _hash(call, query.q))
    total = await count("suppression s", where)
    start = read_cursor(query.after, (str, int))
    if start is not None:
        where.add("(s.at, s.id) < ({}, {})", _moment(start[0]), start[1])
    found = await rows(_ROWS.format(limit=where.value(query.limit + 1), where=where.sql), where.values)
    items = [
        SuppressionRow(
            id=row["id"], person=row["email_hash"], cause=row["cause"], detail=row["detail"], at=row["at"],
            connection=row["connection_id"], store=row["store_id"],
        )
        for row in found
    ]  # fmt: skip
    return page_of(items, query.limit, [[row["at"].isoformat(), row["id"]] for row in found], total)


@api.add("POST", "/people/standing", scope="people:read")
async def show_standing(call: Call, body: Person) -> Standings:
    """Whether somebody may be written to, and their latest word about it."""
    person = _hash(call, body.email)
    return Standings(person=person, items=[await _standing(row.id, None, person) for row in await _connections(call)])


@api.add("POST", "/people/suppress", scope="people:write")
async def suppress_person(call: Call, body: Whom) -> Standings:
    """Never write to somebody again; what waits for them is taken back."""
    person, places = _hash(call, body.email), await _places(call, body)
    for connection_id, store_id in places:
        async with db.in_transaction():
            await lock_persons(connection_id, [person])
            await suppress(connection_id, person, "manual", call.now, store_id=store_id, detail="admin")
            await take_back_for_person(connection_id, person, "manual", call.now, store_id)
            await call.note("person.suppressed", f"person {person[:16]}", store_id=store_id)
    return Standings(person=person, items=[await _standing(*place, person) for place in places])


@api.add("POST", "/people/unsuppress", scope="people:write")
async def unsuppress_person(call: Call, body: Whom) -> Standings:
    """Take back what a merchant may: an own wish, a bounce. All else ends only by the person's own double opt-in."""
    person, places = _hash(call, body.email), await _places(call, body)
    for connection_id, store_id in places:
        async with db.in_transaction():
            await lock_persons(connection_id, [person])
            for cause in MERCHANTS:
                await lift_suppression(connection_id, person, cause, call.now, store_id=store_id)
            await call.note("person.unsuppressed", f"person {person[:16]}", store_id=store_id)
    return Standings(person=person, items=[await _standing(*place, person) for place in places])


@api.add("POST", "/people/export", scope="people:read", secret=True)
async def export_person(call: Call, body: Person) -> Held:
    """Everything held about somebody, to hand over; needs to see who the customers are."""
    if not call.shows_personal:
        raise Problem(403, "not-allowed", "This needs the right personal:read.")
    async with db.in_transaction():
        told = await rights.export(call.runtime, await _subject(call, body.email))
        await call.note("person.exported", f"person {_hash(call, body.email)[:16]}")
    return Held.model_validate(told)


@api.add("POST", "/people/erase", scope="people:erase", secret=True)
async def erase_person(call: Call, body: Erasure) -> Forgotten:
    """Forget somebody at once: mails that wait are cancelled, orders keep their money, a hash stays suppressed."""
    subject = await _subject(call, body.email)
    if body.dry_run:
        return Forgotten(dry_run=True, counts=await rights.erase(call.runtime, subject, dry_run=True))
    async with db.in_transaction():
        counts = await rights.erase(call.runtime, subject)
        await call.note("person.erased", f"person {subject.email_hash[:16]}", after=dict(counts))
    return Forgotten(dry_run=False, counts=counts)


def _hash(call: Call, address: str) -> str:
    """The hash that names a person.

    Raises:
        Problem: it is no address.
    """
    told = email_address(address.strip().lower())
    if told is None:
        raise Problem(422, "invalid", "That is not an e-mail address.")
    return call.runtime.keys.email_hash(told)


async def _connections(call: Call) -> list[Connection]:
    """The connections all of whose stores are within reach: what is held about a person is held for all of them."""
    found = await Connection.all().order_by("id").prefetch_related("stores")
    return [row for row in found if call.who.store_ids is None or (
        row.stores and all(call.who.sees(store.id) for store in row.stores)
    )]  # fmt: skip


async def _places(call: Call, body: Whom) -> list[tuple[int, int | None]]:
    if body.store is not None:
        store: Store = await call.store(body.store)
        return [(store.connection_id, store.id)]
    found: list[tuple[int, int | None]] = [(row.id, None) for row in await _connections(call)]
    if not found:
        raise not_found("connection")
    return found


async def _subject(call: Call, address: str) -> rights.Subject:
    found = await _connections(call)
    if not found:
        raise not_found("person")
    told = email_address(address.strip().lower())
    return rights.Subject(told or "", _hash(call, address), found)


async def _standing(connection_id: int, store_id: int | None, person: str) -> Standing:
    found = await Suppression.filter(connection_id=connection_id, email_hash=person, lifted_at=None)
    counting = {row.cause for row in found if store_id is None or row.store_id in (None, store_id)}
    consent = await latest_consent(connection_id, person)
    return Standing(
        connection=connection_id,
        store=store_id,
        in_force=sorted(counting),
        consent=consent.marketing if consent else None,
        consent_at=consent.at if consent else None,
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise not_found("page") from None
