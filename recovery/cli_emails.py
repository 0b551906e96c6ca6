"""The commands about the mails themselves: one to look at without sending it, one to try the relay with."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from recovery import console, emails_preview
from recovery.runtime import Runtime, with_runtime
from recovery.text import mask_address

StoreOption = Annotated[str | None, typer.Option("--store", help="The store: its code, or connection/code.")]


def preview_command(
    quote_id: Annotated[str | None, typer.Argument(help="The shop's number of the cart; none: an example.")] = None,
    store: StoreOption = None,
    step: Annotated[int | None, typer.Option("--step", min=1, help="Which message; default: the next one.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path("preview"),
) -> None:
    """Write what would go out as HTML, text and .eml; nothing is sent."""

    async def work(runtime: Runtime) -> None:
        made = await emails_preview.preview(runtime, quote_id=quote_id, store=store, message=step)
        name = f"{made.store}-{''.join(c for c in quote_id or 'example' if c.isalnum() or c in '-_')}-{made.message}"
        files: dict[str, bytes] = {"html": made.html.encode(), "txt": made.text.encode(), "eml": made.eml}
        try:
            out.mkdir(parents=True, exist_ok=True)
            for ending, content in files.items():
                (out / f"{name}.{ending}").write_bytes(content)
        except OSError as error:
            console.fail(f"The files can't be written to {out}: {error.strerror}.")
        for note in made.notes:
            console.note(note)
        console.line(f"Message {made.message}: {made.subject}")
        for ending, content in files.items():
            console.line(f"{out / f'{name}.{ending}'}  {len(content):,} bytes")

    asyncio.run(with_runtime(work))


def try_relay_command(
    address: Annotated[str, typer.Argument(help="Where the test mail goes.")], store: StoreOption = None
) -> None:
    """Send one marked test mail through the relay and print its answer."""

    async def work(runtime: Runtime) -> None:
        answer = await emails_preview.send_test(runtime, address, store=store)
        console.note(f"The relay took the test mail to {mask_address(address)} and answered:")
        console.line(answer)

    asyncio.run(with_runtime(work))
