"""The commands that tick a shop's own pages and blocks as policies."""

import asyncio
from typing import Annotated

import typer

from recovery import console, sync_pages
from recovery.errors import CartbackError
from recovery.models import ShopPage, Store
from recovery.runtime import Runtime, with_runtime
from recovery.stores import registry
from recovery.stores.base import Connector
from recovery.stores.connectors import front_of, open_connector

pages_app = typer.Typer(help="Pages and blocks of a Magento shop as policies.", no_args_is_help=True)

StoreOption = Annotated[str, typer.Option("--store", help="The store: its code, or connection/code.")]
PageArgument = Annotated[str, typer.Argument(help="Such as page:size-guide or block:12.")]


@pages_app.command("list")
def list_pages(
    store: StoreOption, as_document: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """The pages and blocks that a store view shows, and which of them are used as what."""

    async def work(runtime: Runtime) -> None:
        row = await registry.find_store(store)
        used = {(page.kind, page.external_id): page for page in await ShopPage.filter(store_id=row.id)}
        front = front_of(row)
        async with open_connector(row.connection, runtime.keys.vault, runtime.now) as connector:
            offered = await connector.texts(front) if connector and front else []
        told = [
            {
                "page": f"{text.kind}:{text.identifier}",
                "used_as": page.used_as if (page := used.get((text.kind, text.external_id))) else None,
                "title": text.title,
                "active": text.active,
            }
            for text in offered
        ]
        if as_document:
            console.data(told)
        elif told:
            rows = [(str(t["page"]), str(t["used_as"] or ""), str(t["title"])) for t in told]
            console.table(rows, ("PAGE", "USED AS", "TITLE"))
        else:
            console.note("The shop shows no pages and no blocks here.")

    asyncio.run(with_runtime(work))


@pages_app.command("use")
def use_page(
    page: PageArgument,
    store: StoreOption,
    used_as: Annotated[str, typer.Option("--as", help=f"One of {', '.join(sync_pages.POLICY_KINDS)}.")],
) -> None:
    """Use a page or block as a policy; the assistants know it at once, and it is read anew by itself."""

    async def work(runtime: Runtime) -> None:
        row = await registry.find_store(store)
        async with open_connector(row.connection, runtime.keys.vault, runtime.now) as connector:
            kept = await sync_pages.use(row, _asked(row, connector), page, used_as, runtime.now())
        console.note(f"{kept.title!r} is used as {kept.used_as} from now on.")

    asyncio.run(with_runtime(work))


@pages_app.command("forget")
def forget_page(page: PageArgument, store: StoreOption) -> None:
    """Use a page or block no more."""

    async def work(runtime: Runtime) -> None:
        await sync_pages.forget(await registry.find_store(store), page, runtime.now())
        console.note(f"{page} is used no more.")

    asyncio.run(with_runtime(work))


def _asked(store: Store, connector: Connector | None) -> Connector:
    if connector is None:
        raise CartbackError(f"{store.code} is not read from a shop; it sends its policies by hooks.")
    return connector
