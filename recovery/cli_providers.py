"""The commands about mail providers: which may report bounces and complaints, and where."""

import asyncio
import sys
from typing import Annotated, Any

import typer

from admin import rights
from recovery import console, provider_events
from recovery.models import MailProvider
from recovery.provider_reports import PROVIDERS
from recovery.runtime import Runtime, with_runtime

providers_app = typer.Typer(help="Mail providers that report bounces and complaints.", no_args_is_help=True)

ProviderArgument = Annotated[str, typer.Argument(metavar="PROVIDER", help=f"One of {', '.join(PROVIDERS)}.")]
ConnectionArgument = Annotated[str, typer.Argument(metavar="CONNECTION", help="Key of the shop installation.")]


@providers_app.command("add")
def add_provider(
    provider: ProviderArgument,
    connection: ConnectionArgument,
    key: Annotated[str | None, typer.Option("--key", help="Mailgun's webhook signing key; - asks for it.")] = None,
) -> None:
    """Let a provider report; prints the address to enter there, shown only now if it holds a password."""
    kind = next((known for known in PROVIDERS if known == provider), None)
    if kind is None:
        console.fail(f"There is no provider {provider!r}; there are {', '.join(PROVIDERS)}.", console.USAGE)
    if key == "-":
        key = typer.prompt("key", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().strip()

    async def work(runtime: Runtime) -> None:
        (row,) = await rights.connections(connection)
        password = await provider_events.add(runtime.keys.vault, row, kind, key, runtime.now())
        scheme, _, host = runtime.settings.public_url.partition("://")
        who = f"{provider_events.USER}:{password}@" if password else ""
        console.line(f"{scheme}://{who}{host}/events/{kind}/{row.key}")
        if kind == "ses":
            console.note("Amazon asks for a confirmation first: `cartback doctor emails` shows the address to open.")

    asyncio.run(with_runtime(work))


@providers_app.command("list")
def list_providers(as_document: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """The providers that may report."""

    async def work(runtime: Runtime) -> None:
        rows = await MailProvider.all().order_by("id").prefetch_related("connection")
        told: list[dict[str, Any]] = [
            {"provider": row.kind, "connection": row.connection.key, "since": row.created_at,
             "confirm_url": row.confirm_url}
            for row in rows
        ]  # fmt: skip
        if as_document:
            console.data(told)
        elif told:
            console.table(
                [(one["provider"], one["connection"], f"{one['since']:%Y-%m-%d}",
                  "waits for you to open " + one["confirm_url"] if one["confirm_url"] else "") for one in told],
                ("PROVIDER", "CONNECTION", "SINCE", ""),
            )  # fmt: skip
        else:
            console.note("None. To add one: cartback providers add PROVIDER CONNECTION")

    asyncio.run(with_runtime(work))


@providers_app.command("remove")
def remove_provider(provider: ProviderArgument, connection: ConnectionArgument) -> None:
    """Let a provider report no more."""

    async def work(runtime: Runtime) -> None:
        (row,) = await rights.connections(connection)
        gone = await MailProvider.filter(connection_id=row.id, kind=provider).delete()
        console.note(f"{provider} {'may not report' if gone else 'did not report'} to {row.key} any more.")

    asyncio.run(with_runtime(work))
