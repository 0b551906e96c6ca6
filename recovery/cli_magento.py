"""The commands that connect a Magento, test the connection and read the shop."""

import asyncio
import sys
from dataclasses import replace
from typing import Annotated

import typer

from recovery import console, sync
from recovery.models import Connection, ShopPage, Store
from recovery.runtime import Runtime, with_runtime
from recovery.stores import registry
from recovery.stores.base import ShopFront
from recovery.stores.connecting import connect_magento
from recovery.stores.connectors import MAGENTO
from recovery.stores.magento import open_magento
from recovery.stores.magento_auth import Credentials
from recovery.stores.magento_probe import (
    ALL,
    FOR_COUPONS,
    FOR_PAGES,
    NEEDED,
    Answer,
    Right,
    probe,
    verdict,
    where_to_click,
)

connect_app = typer.Typer(help="Connect a shop that Cartback reads by itself.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_BEARER = (("token", "Access token"),)
_OAUTH = (
    ("consumer_key", "Consumer key"),
    ("consumer_secret", "Consumer secret"),
    ("token", "Access token"),
    ("token_secret", "Access token secret"),
)


@connect_app.command("magento")
def connect_command(
    url: Annotated[str, typer.Option(help="The shop's base URL, as in Stores > Configuration > Web.")],
    connection: Annotated[str, typer.Option(help="Key of the connection, a short name of your choice.")] = "magento",
    name: Annotated[str, typer.Option(help="Name that customers know; without it, the shop's host.")] = "",
    view: Annotated[
        list[str] | None, typer.Option("--view", help="Only this store view, by its code; may be given often.")
    ] = None,
    oauth: Annotated[
        bool, typer.Option("--oauth", help="Sign requests with all four keys; needs no switch in Magento.")
    ] = False,
    coupons: Annotated[
        bool, typer.Option("--coupons", help="Make coupons in Magento, too; its integration needs two more rights.")
    ] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="The shop is in a private network, and may be asked there.")
    ] = False,
) -> None:
    """Connect a Magento 2; asks for the keys of its integration, or reads them from stdin, one a line."""
    credentials = _ask_keys(oauth)
    if not url.startswith("https://") and not allow_private:
        console.note("The address is not https: whoever is on the way can read the keys.")

    async def work(runtime: Runtime) -> None:
        async with open_magento(url, credentials, runtime.now, allow_private=allow_private) as connector:
            wanted = [replace(right, needed=True) for right in (*NEEDED, *(FOR_COUPONS if coupons else ()))]
            _report(await probe(connector.http, wanted))
            fronts = _chosen(await connector.fronts(), view or [])
        owner, stores = await connect_magento(
            runtime.keys, connection, url, credentials, fronts, runtime.now(), name=name, allow_private=allow_private
        )
        if coupons:
            for store in stores:
                await registry.change_settings(store, {"coupon_in_magento": True})
        console.table(
            [(f"{owner.key}/{s.code}", s.mode, s.language, s.currency, s.timezone, s.name) for s in stores],
            ("STORE", "MODE", "LANGUAGE", "CURRENCY", "TIME ZONE", "NAME"),
        )
        console.note("The worker reads the shop from now on; to read it at once: cartback sync")

    asyncio.run(with_runtime(work))


@connect_app.command("test")
def check_command(
    connection: Annotated[str, typer.Argument(help="Key of the connection.")], as_document: JsonOption = False
) -> None:
    """Ask the shop one question per right that is needed, and say what is missing."""

    async def work(runtime: Runtime) -> None:
        row = await _magento(connection)
        credentials = Credentials.from_sealed_form(runtime.keys.vault.open(row.credentials or ""))
        async with open_magento(row.base_url, credentials, runtime.now, allow_private=row.allow_private) as connector:
            answers = await probe(connector.http, await _in_use(row))
        if as_document:
            console.data(
                [_told(answer) for answer in answers] + [{"advice": sentence} for sentence in verdict(answers)]
            )
            if verdict(answers):
                raise typer.Exit(console.FAILED)
        else:
            _report(answers)

    asyncio.run(with_runtime(work))


def sync_command(
    connection: Annotated[str | None, typer.Option("--connection", help="Only this connection, due or not.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read everything anew, whatever was read before.")] = False,
    as_document: JsonOption = False,
) -> None:
    """Read the shops that Cartback asks by itself: orders, carts, catalogue."""

    async def work(runtime: Runtime) -> None:
        keys = [(await _magento(connection)).key] if connection else [row.key for row in await _all_magento()]
        if not keys:
            console.note("No shop is read yet. Connect one with: cartback stores connect magento")
        counts: dict[str, int] = {}
        errors: list[str] = []
        for key in keys:
            done, failed = await sync.sync_named(runtime, key, full=full)
            counts = {name: counts.get(name, 0) + done.get(name, 0) for name in {*counts, *done}}
            errors += failed
        if as_document:
            console.data({"counts": counts, "errors": errors})
        else:
            told = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in sorted(counts.items()))
            console.line(f"sync: {told or 'nothing to do'}")
            for error in errors:
                console.note(error)
        if errors:
            raise typer.Exit(console.PARTLY)

    asyncio.run(with_runtime(work))


async def _all_magento() -> list[Connection]:
    return await Connection.filter(platform=MAGENTO).order_by("id")


async def _magento(key: str) -> Connection:
    row = await Connection.get_or_none(key=key, platform=MAGENTO)
    if row is None:
        known = ", ".join(c.key for c in await _all_magento()) or "none yet"
        console.fail(f"There is no Magento connection {key!r}. Connections: {known}.", console.FAILED)
    return row


def _ask_keys(oauth: bool) -> Credentials:
    """The keys, never as options: those would stand in the shell's history and in the list of processes."""
    told: dict[str, str] = {}
    for name, label in _OAUTH if oauth else _BEARER:
        if sys.stdin.isatty():
            told[name] = typer.prompt(label, hide_input=True).strip()
        else:
            told[name] = sys.stdin.readline().strip()
        if not told[name]:
            console.fail(f"No {label.lower()} was given; write it to stdin, or call this in a terminal.", console.USAGE)
    return Credentials(**told)


def _report(answers: list[Answer]) -> None:
    """Line by line what the shop let us read; ends the command when something is missing."""
    for answer in answers:
        missing = "FAIL" if answer.right.needed else "none"
        console.note(f"{'ok  ' if answer.error is None else missing}  {answer.right.resource}: {answer.right.purpose}")
        if answer.error is not None and not answer.right.needed:
            console.note(f"      Not needed now. For it: {where_to_click(answer.right)}")
    sentences = verdict(answers)
    if sentences:
        console.fail("\n".join(sentences), console.FAILED)


def _told(answer: Answer) -> dict[str, object]:
    error = str(answer.error) if answer.error else None
    return {"right": answer.right.resource, "error": error, "needed": answer.right.needed}


async def _in_use(connection: Connection) -> list[Right]:
    """Every right, those that a store of this connection relies on as needed."""
    stores = [await registry.in_force(store) for store in await Store.filter(connection_id=connection.id)]
    relied = set(FOR_COUPONS) if any(store.settings.coupon_in_magento for store in stores) else set()
    if await ShopPage.filter(store__connection_id=connection.id).exists():
        relied |= set(FOR_PAGES)
    return [replace(right, needed=right.needed or right in relied) for right in ALL]


def _chosen(fronts: list[ShopFront], codes: list[str]) -> list[ShopFront]:
    known = {front.code: front for front in fronts if front.active}
    unknown = [code for code in codes if code not in known]
    if unknown or not known:
        console.fail(
            f"There is no open store view {', '.join(unknown) or 'at all'}; there are {', '.join(known) or 'none'}.",
            console.FAILED,
        )
    return [known[code] for code in codes or known]
