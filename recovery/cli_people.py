"""The commands about people: stop writing to somebody, who is not written to, everything held, and forgetting it."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from admin import rights
from recovery import complaints, console, db
from recovery.carts import take_back_for_person
from recovery.cli_import import import_app
from recovery.cli_providers import providers_app
from recovery.errors import NotFound
from recovery.models import Suppression
from recovery.persons import CAUSES, MERCHANTS, lift_suppression, lock_persons, suppress, suppression_in_force
from recovery.runtime import Runtime, with_runtime
from recovery.stores import registry

suppressions_app = typer.Typer(help="Who is not written to, and why.", no_args_is_help=True)

AddressArgument = Annotated[str, typer.Argument(metavar="EMAIL", help="A customer's address.")]
StoreOption = Annotated[str | None, typer.Option("--store", help="Only this store: its code, or connection/code.")]
ConnectionOption = Annotated[str | None, typer.Option("--connection", help="Only this shop installation: its key.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask whether to go on.")]


def add_people_commands(app: typer.Typer) -> None:
    """Hang the commands about people on the command line, with the lists and providers that tell of them."""
    app.command("suppress")(suppress_command)
    app.add_typer(suppressions_app, name="suppressions")
    app.command("export")(export_command)
    app.command("erase")(erase_command)
    app.add_typer(import_app, name="import")
    app.add_typer(providers_app, name="providers")


def suppress_command(
    email: AddressArgument,
    store: StoreOption = None,
    connection: ConnectionOption = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take back what you may: your own wish, a bounce.")] = False,
    as_document: JsonOption = False,
) -> None:
    """Never write to somebody again, or take that back; without a store or connection at every shop."""

    async def work(runtime: Runtime) -> None:
        places, email_hash = await _places(runtime, email, store, connection)
        act = _lift if remove else _stop
        told = [await act(key, connection_id, store_id, email_hash, runtime.now())
                for key, connection_id, store_id in places]  # fmt: skip
        if as_document:
            console.data(told)
            return
        for one in told:
            left = f"still {', '.join(one['in_force'])}" if one["in_force"] else "may be written to"
            console.line(f"{one['at']}: {left if remove else 'not written to any more'}")
        if remove and any(set(one["in_force"]) - set(MERCHANTS) for one in told):
            console.note(
                "An unsubscription, objection, complaint or erasure ends only by the person's own double opt-in."
            )

    asyncio.run(with_runtime(work))


async def _places(
    runtime: Runtime, email: str, store: str | None, connection: str | None
) -> tuple[list[tuple[str, int, int | None]], str]:
    """Where: name, connection and, if it is one store only, the store; and the person's hash."""
    subject = await rights.find_subject(runtime, email, connection)
    if store is None:
        return [(row.key, row.id, None) for row in subject.connections], subject.email_hash
    row = await registry.find_store(store if connection is None or "/" in store else f"{connection}/{store}")
    return [(f"{row.connection.key}/{row.code}", row.connection_id, row.id)], subject.email_hash


async def _stop(name: str, connection_id: int, store_id: int | None, person: str, now: datetime) -> dict[str, Any]:
    async with db.in_transaction():
        await lock_persons(connection_id, [person])
        await suppress(connection_id, person, "manual", now, store_id=store_id, detail="command line")
        await take_back_for_person(connection_id, person, "manual", now, store_id)
    return {"at": name, "in_force": await _in_force(connection_id, store_id, person)}


async def _lift(name: str, connection_id: int, store_id: int | None, person: str, now: datetime) -> dict[str, Any]:
    async with db.in_transaction():
        await lock_persons(connection_id, [person])
        for cause in MERCHANTS:
            await lift_suppression(connection_id, person, cause, now, store_id=store_id)
    return {"at": name, "in_force": await _in_force(connection_id, store_id, person)}


async def _in_force(connection_id: int, store_id: int | None, person: str) -> list[str]:
    if store_id is not None:
        found = [cause for cause in CAUSES if await suppression_in_force(connection_id, store_id, person, (cause,))]
        return [str(cause) for cause in found]
    rows = await Suppression.filter(connection_id=connection_id, email_hash=person, lifted_at=None)
    return sorted({row.cause for row in rows})


@suppressions_app.command("list")
def list_suppressions(
    store: StoreOption = None,
    connection: ConnectionOption = None,
    cause: Annotated[str | None, typer.Option("--cause", help=f"Only this cause: {', '.join(CAUSES)}.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many, newest first.")] = 50,
    as_document: JsonOption = False,
) -> None:
    """Who is not written to; people are shown by their hash, since no address is kept."""
    if cause is not None and cause not in CAUSES:
        console.fail(f"There is no cause {cause!r}; there are {', '.join(CAUSES)}.", console.USAGE)

    async def work(runtime: Runtime) -> None:
        found = Suppression.filter(connection_id__in=[row.id for row in await rights.connections(connection)])
        if store is not None:
            found = found.filter(store_id=(await registry.find_store(store)).id)
        if cause is not None:
            found = found.filter(cause=cause)
        rows = await found.filter(lifted_at=None).order_by("-at").limit(limit).prefetch_related("connection", "store")
        told = [
            {"person": row.email_hash, "at": row.at, "cause": row.cause, "connection": row.connection.key,
             "store": row.store.code if row.store else None, "detail": row.detail}
            for row in rows
        ]  # fmt: skip
        if as_document:
            console.data(told)
        elif told:
            cells = [(f"{one['at']:%Y-%m-%d %H:%M}", one["cause"], one["connection"], one["store"] or "all",
                      one["person"], one["detail"] or "") for one in told]  # fmt: skip
            console.table(cells, ("SINCE", "CAUSE", "CONNECTION", "STORE", "PERSON", "DETAIL"))
        else:
            console.note("Nobody. To add somebody: cartback suppress EMAIL")

    asyncio.run(with_runtime(work))


@suppressions_app.command("resume")
def resume(
    connection: Annotated[str, typer.Argument(help="Key of the shop installation.")],
) -> None:
    """Let the mails of a connection go again that too many complaints had stopped."""

    async def work(runtime: Runtime) -> None:
        (row,) = await rights.connections(connection)
        if await complaints.lift(row.id, runtime.now()):
            console.note(f"Mails of {row.key} may go again; complaints are counted anew from now on.")
        else:
            console.note(f"Mails of {row.key} were not stopped.")

    asyncio.run(with_runtime(work))


def export_command(email: AddressArgument, connection: ConnectionOption = None) -> None:
    """Print everything held about a person, as JSON."""

    async def work(runtime: Runtime) -> None:
        told = await rights.export(runtime, await rights.find_subject(runtime, email, connection))
        if not told["connections"]:
            raise NotFound("Nothing is held about this address.")
        console.data(told)

    asyncio.run(with_runtime(work))


def erase_command(
    email: AddressArgument,
    connection: ConnectionOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
    yes: YesOption = False,
    as_document: JsonOption = False,
) -> None:
    """Forget a person at once: mails that wait are cancelled, orders keep their money, a hash stays suppressed."""

    async def work(runtime: Runtime) -> None:
        subject = await rights.find_subject(runtime, email, connection)
        if not dry_run and not yes:
            places = ", ".join(row.key for row in subject.connections)
            typer.confirm(f"Forget {subject.address} at {places} for good?", abort=True, err=True)
        counts = await rights.erase(runtime, subject, dry_run=dry_run)
        if as_document:
            console.data({"dry_run": dry_run, "counts": counts})
            return
        told = ", ".join(f"{number} {kind}" for kind, number in counts.items()) or "nothing was held"
        console.line(f"{'would forget' if dry_run else 'forgotten'}: {told}")
        if not dry_run:
            console.note("This address is not written to again; the shop itself may still hold its data.")

    asyncio.run(with_runtime(work))
