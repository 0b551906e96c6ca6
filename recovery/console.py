"""What the command line prints: data on stdout, everything else on stderr, JSON on request; and its exit codes.

0 done · 1 failed · 2 wrong usage or settings · 3 done in part (some stores failed).
"""

import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import orjson
import typer

FAILED = 1
USAGE = 2
PARTLY = 3


def data(value: Any) -> None:
    """One JSON document on stdout."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2, default=str).decode())


def line(text: str = "") -> None:
    """One line of the result on stdout."""
    typer.echo(text)


def note(text: str) -> None:
    """Something beside the result, on stderr."""
    typer.echo(text, err=True)


def progress(text: str) -> None:
    """What is being done, on stderr."""
    typer.echo(typer.style(f"· {text}", dim=True), err=True)


def table(rows: Iterable[Sequence[object]], head: Sequence[str]) -> None:
    """Rows in columns."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(head), *cells]) for i in range(len(head))]
    for row in [list(head), *cells]:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def fail(text: str, code: int = FAILED) -> NoReturn:
    """End with an error that says what to do."""
    typer.echo(typer.style(text, fg="red") if sys.stderr.isatty() else text, err=True)
    raise typer.Exit(code)
