"""The commands that take lists in from files."""

import asyncio
import csv
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from admin import rights
from recovery import console, imports, imports_reading
from recovery.errors import NotFound
from recovery.imports_reading import Line, LineRefused
from recovery.persons import CAUSES, Cause
from recovery.runtime import Runtime, with_runtime
from recovery.stores import registry

import_app = typer.Typer(help="Take lists in from CSV files.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="A CSV file.")]
ConnectionOption = Annotated[str | None, typer.Option("--connection", help="The shop installation: its key.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
RejectedOption = Annotated[
    Path | None, typer.Option("--rejected", help="Write the lines that were not taken to this file.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
MOST_TOLD = 1000

Row = TypeVar("Row")


@dataclass
class _Tally:
    """What became of the lines; of the problems only so many are kept for JSON, all are told as they come."""

    lines: int = 0
    new: int = 0
    known: int = 0
    skipped: int = 0
    rejected: int = 0
    problems: list[dict[str, Any]] = field(default_factory=list)

    def reject(self, line: Line, problem: str) -> None:
        self.rejected += 1
        console.note(f"line {line.number}: {problem}")
        if len(self.problems) < MOST_TOLD:
            self.problems.append({"line": line.number, "problem": problem})


@import_app.command("suppressions")
def import_suppressions(
    file: FileArgument,
    store: Annotated[
        str | None, typer.Option("--store", help="Only for this store: its code, or connection/code.")
    ] = None,
    connection: ConnectionOption = None,
    cause: Annotated[str, typer.Option("--cause", help="The cause where the file names none.")] = "manual",
    dry_run: DryOption = False,
    rejected: RejectedOption = None,
    as_document: JsonOption = False,
) -> None:
    """Take in who is not to be written to; again is no trouble."""
    found: Cause | None = next((known for known in CAUSES if known == cause), None)
    if found is None:
        console.fail(f"There is no cause {cause!r}; there are {', '.join(CAUSES)}.", console.USAGE)

    async def work(runtime: Runtime) -> None:
        place = await _place(store, connection)
        now = runtime.now()

        async def take(rows: list[imports_reading.Unwanted]) -> int:
            return await imports.take_suppressions(place, rows, runtime.keys, now, dry_run=dry_run)

        def read(line: Line) -> imports_reading.Unwanted | None:
            return imports_reading.read_suppression(line, now, found)

        tally = await _go_through(file, imports_reading.check_suppressions, read, take, rejected)
        _tell(tally, dry_run=dry_run, as_document=as_document)

    asyncio.run(with_runtime(work))


@import_app.command("consents")
def import_consents(
    file: FileArgument,
    connection: ConnectionOption = None,
    at: Annotated[
        datetime | None, typer.Option("--at", help="When those agreed whose line does not say, in UTC.")
    ] = None,
    dry_run: DryOption = False,
    rejected: RejectedOption = None,
    as_document: JsonOption = False,
) -> None:
    """Take in who agreed to marketing mail, and who refused; again is no trouble."""

    async def work(runtime: Runtime) -> None:
        connection_id, _ = await _place(None, connection)
        now, otherwise = runtime.now(), at.replace(tzinfo=UTC) if at else None

        async def take(rows: list[imports_reading.Word]) -> int:
            return await imports.take_consents(connection_id, rows, runtime.keys, now, dry_run=dry_run)

        def read(line: Line) -> imports_reading.Word | None:
            return imports_reading.read_consent(line, now, otherwise)

        tally = await _go_through(file, imports_reading.check_consents, read, take, rejected)
        _tell(tally, dry_run=dry_run, as_document=as_document)

    asyncio.run(with_runtime(work))


async def _place(store: str | None, connection: str | None) -> tuple[int, int | None]:
    if store is not None:
        row = await registry.find_store(store)
        return row.connection_id, row.id
    found = await rights.connections(connection)
    if len(found) != 1:
        known = ", ".join(row.key for row in found) or "none yet"
        raise NotFound(f"Which connection? Name it with --connection. Connections: {known}.")
    return found[0].id, None


async def _go_through(
    file: Path,
    check: Callable[[dict[str, str]], None],
    read: Callable[[Line], Row | None],
    take: Callable[[list[Row]], Awaitable[int]],
    rejected: Path | None,
) -> _Tally:
    """Read line by line, take in batches; a line that can't be read stops no other."""
    tally = _Tally()
    lines = imports_reading.read_lines(file)
    check(dict(next(lines).told))
    with ExitStack() as stack:
        writer = csv.writer(stack.enter_context(rejected.open("w", newline="", encoding="utf-8"))) if rejected else None
        batch: list[Row] = []
        for line, row in _read(lines, read, tally):
            if row is not None:
                batch.append(row)
            elif writer is not None:
                writer.writerow([line.number, *line.cells])
            if len(batch) >= imports.BATCH:
                await _take(batch, take, tally)
        await _take(batch, take, tally)
    return tally


def _read(
    lines: Iterator[Line], read: Callable[[Line], Row | None], tally: _Tally
) -> Iterator[tuple[Line, Row | None]]:
    """Every line that is to be taken with what it says, and every rejected one with nothing."""
    for line in lines:
        tally.lines += 1
        try:
            row = read(line)
        except LineRefused as refused:
            tally.reject(line, str(refused))
            yield line, None
            continue
        if row is None:
            tally.skipped += 1
        else:
            yield line, row


async def _take(batch: list[Row], take: Callable[[list[Row]], Awaitable[int]], tally: _Tally) -> None:
    if batch:
        new = await take(batch)
        tally.new += new
        tally.known += len(batch) - new
        batch.clear()


def _tell(tally: _Tally, *, dry_run: bool, as_document: bool) -> None:
    if as_document:
        console.data({"dry_run": dry_run} | tally.__dict__)
    else:
        console.line(
            f"{tally.lines} lines{' (dry run)' if dry_run else ''}: {tally.new} new, {tally.known} known, "
            f"{tally.skipped} say nothing to take, {tally.rejected} rejected"
        )
    if tally.rejected:
        raise typer.Exit(console.PARTLY)
