"""The sweeps by hand: one run of detection, scoring or sending, or what it would do."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from recovery import console, jobs
from recovery.runtime import Runtime, with_runtime

StoreOption = Annotated[str | None, typer.Option("--store", help="Only this store: its code, or connection/code.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; change nothing.")]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many carts per store.")]


def detect_command(
    store: StoreOption = None, limit: LimitOption = None, dry_run: DryOption = False, as_document: JsonOption = False
) -> None:
    """Find the carts left behind."""
    _job("detect", jobs.Scope(store, limit, dry_run), as_document=as_document)


def score_command(
    store: StoreOption = None, limit: LimitOption = None, dry_run: DryOption = False, as_document: JsonOption = False
) -> None:
    """Give what was detected its intent score and reason code."""
    _job("score", jobs.Scope(store, limit, dry_run), as_document=as_document)


def send_emails_command(
    store: StoreOption = None, limit: LimitOption = None, dry_run: DryOption = False, as_document: JsonOption = False
) -> None:
    """Decide on the due messages and send them."""
    _job("email", jobs.Scope(store, limit, dry_run), as_document=as_document)


def _job(name: str, scope: jobs.Scope, *, as_document: bool) -> None:
    async def work(runtime: Runtime) -> None:
        report = await jobs.JOBS[name](runtime, scope)
        if as_document:
            console.data(_document(report, scope))
        else:
            _print(report, scope)
        if report.errors:
            raise typer.Exit(console.PARTLY)

    asyncio.run(with_runtime(work))


def _document(report: jobs.Report, scope: jobs.Scope) -> dict[str, object]:
    told = {"job": report.job, "dry_run": scope.dry_run, "counts": report.counts, "errors": report.errors}
    return told | ({"messages": [asdict(each) for each in report.foreseen]} if report.foreseen else {})


def _print(report: jobs.Report, scope: jobs.Scope) -> None:
    counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(report.counts.items()))
    console.line(f"{report.job}{' (dry run)' if scope.dry_run else ''}: {counts or 'nothing to do'}")
    if report.foreseen:
        console.table(
            [(each.store, each.quote_id, each.message, each.customer, each.outcome, each.words)
             for each in report.foreseen],
            ("STORE", "CART", "MESSAGE", "CUSTOMER", "OUTCOME", "WHY"),
        )  # fmt: skip
    for error in report.errors:
        console.note(error)
