"""A person's rights: everything held about somebody, and forgetting it, over all packages."""

from dataclasses import dataclass
from typing import Any

from admin import privacy as admin_privacy
from chatbot import privacy as chat_privacy
from recovery import db, privacy_erase, privacy_export
from recovery.errors import NotFound
from recovery.models import Connection
from recovery.persons import lock_persons
from recovery.runtime import Runtime
from recovery.text import email_address


@dataclass(frozen=True)
class Subject:
    """A person: one address at these connections."""

    address: str
    email_hash: str
    connections: list[Connection]


class _OnlyLooking(Exception):
    """Ends the transaction of a dry run, which takes everything back."""


async def find_subject(runtime: Runtime, address: str, connection: str | None) -> Subject:
    """The person with this address, at one connection or at all.

    Raises:
        NotFound: it is no address, or there is no such connection.
    """
    told = email_address(address)
    if told is None:
        raise NotFound(f"{address!r} is not an e-mail address.")
    return Subject(told, runtime.keys.email_hash(told), await connections(connection))


async def connections(key: str | None) -> list[Connection]:
    """One connection by its key, or all of them.

    Raises:
        NotFound: there is none with that key.
    """
    found = await (Connection.filter(key=key) if key else Connection.all()).order_by("id")
    if key and not found:
        known = ", ".join(sorted([row.key for row in await Connection.all()])) or "none yet"
        raise NotFound(f"No connection is called {key!r}. Connections: {known}.")
    return found


async def export(runtime: Runtime, subject: Subject) -> dict[str, Any]:
    """Everything held about a person, by connection, package and table."""
    told: dict[str, Any] = {"address": subject.address, "exported_at": runtime.now(), "connections": {}}
    for connection in subject.connections:
        who = (connection.id, subject.email_hash, subject.address)
        packages = {
            "recovery": await privacy_export.export(*who),
            "chatbot": await chat_privacy.export(*who),
            "admin": await admin_privacy.export(*who),
        }
        if any(packages.values()):
            told["connections"][connection.key] = packages
    return told


async def erase(runtime: Runtime, subject: Subject, *, dry_run: bool = False) -> dict[str, int]:
    """Forget a person in one transaction, the admin's and the assistant's rows before those they are about.

    ``dry_run`` does it and takes it back, so that it counts exactly what would go.
    """
    counts: dict[str, int] = {}
    try:
        async with db.in_transaction():
            for connection in subject.connections:
                await _erase_at(runtime, subject, connection, counts)
            if dry_run:
                raise _OnlyLooking
    except _OnlyLooking:
        pass
    return counts


async def _erase_at(runtime: Runtime, subject: Subject, connection: Connection, counts: dict[str, int]) -> None:
    who, now = (connection.id, subject.email_hash, subject.address), runtime.now()
    await lock_persons(connection.id, [subject.email_hash])
    for part in (
        await admin_privacy.erase(*who, now),
        await chat_privacy.erase(*who, now),
        await privacy_erase.erase_person(connection.id, runtime.keys, subject.email_hash, subject.address, now),
    ):
        for kind, number in part.items():
            counts[kind] = counts.get(kind, 0) + number
