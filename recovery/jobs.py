"""The sweeps as jobs: each looks in the database, does what is due, and notes what it did; running one twice harms
nobody."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from recovery import (
    campaigns,
    copies,
    coupons_sweep,
    db,
    delivery,
    detection,
    mail_events,
    notices,
    outbox,
    scoring,
    sync,
    webhooks_delivery,
)
from recovery.campaigns_preview import Foreseen, foresee
from recovery.models import JobRun
from recovery.runtime import Runtime
from recovery.stores.registry import StoreInForce, all_in_force

KEPT_RUNS = timedelta(days=7)

log = structlog.get_logger()


@dataclass
class Report:
    """What one run of a job did: counts over all stores, and what went wrong; of a dry run of sending, each message."""

    job: str
    counts: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    foreseen: list[Foreseen] = field(default_factory=list)

    def add(self, counts: dict[str, int]) -> None:
        """Add the counts of one store."""
        for name, number in counts.items():
            if number:
                self.counts[name] = self.counts.get(name, 0) + number


@dataclass(frozen=True)
class Scope:
    """What a run is limited to: one store by name, so many carts per store; ``dry_run`` only counts."""

    store: str | None = None
    limit: int | None = None
    dry_run: bool = False


EVERYTHING = Scope()
StoreSweep = Callable[[Runtime, StoreInForce, Scope, Report], Awaitable[None]]


async def detect(runtime: Runtime, scope: Scope = EVERYTHING) -> Report:
    """Find the carts left behind and end the episodes that are too old."""
    return await _run("detect", runtime, scope, _detect_store)


async def score(runtime: Runtime, scope: Scope = EVERYTHING) -> Report:
    """Score what was detected."""
    return await _run("score", runtime, scope, _score_store)


async def email(runtime: Runtime, scope: Scope = EVERYTHING) -> Report:
    """Decide on the due steps and send the queued mails."""
    if not scope.dry_run:
        _, silent = await delivery.EmailSweep.recover_leases(runtime.now())
        if silent:
            await mail_events.resolve_unknown(runtime.now())
    return await _run("email", runtime, scope, _email_store)


async def read_shops(runtime: Runtime, scope: Scope = EVERYTHING) -> Report:
    """Read the shops that are asked, as far as they are due."""
    report = Report("sync")
    started = datetime.now(UTC)
    counts, report.errors = await sync.sync_all(runtime)
    report.add(counts)
    await _note(report, started)
    return report


async def notice(runtime: Runtime, scope: Scope = EVERYTHING) -> Report:
    """Send what customers asked for just now; a sweep of its own, so that it waits for no campaign."""
    if not scope.dry_run:
        await notices.NoticeSweep.recover_leases(runtime.now())
    return await _run("notice", runtime, scope, _notice_store)


async def tell(runtime: Runtime, scope: Scope = EVERYTHING) -> Report:
    """Deliver the webhooks that are due."""
    report = Report("webhooks")
    if scope.dry_run:
        report.add({"due": await webhooks_delivery.count_due(runtime.now())})
        return report
    started = datetime.now(UTC)
    report.add(await webhooks_delivery.sweep(runtime))
    await _note(report, started)
    return report


JOBS: dict[str, Callable[[Runtime, Scope], Awaitable[Report]]] = {
    "sync": read_shops,
    "detect": detect,
    "score": score,
    "email": email,
    "notice": notice,
    "webhooks": tell,
}


async def last_runs() -> dict[str, JobRun]:
    """The newest run of each job."""
    found = {}
    for job in JOBS:
        run = await JobRun.filter(job=job).order_by("-started_at").first()
        if run is not None:
            found[job] = run
    return found


async def _run(job: str, runtime: Runtime, scope: Scope, sweep_store: StoreSweep) -> Report:
    report = Report(job)
    started = datetime.now(UTC)
    for store in await all_in_force(scope.store):
        try:
            await sweep_store(runtime, store, scope, report)
        except db.UNAVAILABLE as error:
            # The next sweep starts where this one stopped.
            report.errors.append(f"{store.row.code}: {db.describe(error)}")
            log.warning("job.database_away", job=job, store=store.row.id, error=db.describe(error))
        except Exception as error:  # one store's mistake must not stop the others, nor go unnoted
            report.errors.append(f"{store.row.code}: {db.describe(error)}")
            log.error("job.failed", job=job, store=store.row.id, error=db.describe(error), exc_info=error)
    if not scope.dry_run:
        await _note(report, started)
    return report


async def _detect_store(runtime: Runtime, store: StoreInForce, scope: Scope, report: Report) -> None:
    now = runtime.now()
    if scope.dry_run:
        report.add({"detected": await detection.count_due(store, now, scope.limit)})
        return
    report.add({"detected": await detection.sweep(store, runtime.keys, now, scope.limit)})
    report.add({"expired": await detection.expire(store, now)})


async def _score_store(runtime: Runtime, store: StoreInForce, scope: Scope, report: Report) -> None:
    if scope.dry_run:
        report.add({"scored": await scoring.count_unscored(store, scope.limit)})
        return
    report.add({"scored": await scoring.sweep(store, runtime.now(), scope.limit)})


async def _email_store(runtime: Runtime, store: StoreInForce, scope: Scope, report: Report) -> None:
    if scope.dry_run:
        foreseen = await foresee(store, runtime.now(), scope.limit)
        report.foreseen += foreseen
        report.add(Counter(each.outcome for each in foreseen))
        return
    report.add(await campaigns.sweep(store, runtime.now(), scope.limit))
    run = await delivery.sweep(runtime, store, scope.limit)
    _add_sweep(report, store, run)
    if run.counts.get("unknown"):
        await mail_events.resolve_unknown(runtime.now())
    if run.relay_trouble is None and store.settings.copy_address:
        report.add({"copies": await copies.send_copies(runtime, store)})
    report.add(await coupons_sweep.sweep(runtime, store))


async def _notice_store(runtime: Runtime, store: StoreInForce, scope: Scope, report: Report) -> None:
    if scope.dry_run:
        report.add({"due": await notices.count_due(store, runtime.now())})
        return
    _add_sweep(report, store, await notices.sweep(runtime, store, scope.limit))


def _add_sweep(report: Report, store: StoreInForce, run: outbox.Sweep[Any]) -> None:
    report.add(run.counts)
    if run.relay_trouble is not None:
        report.errors.append(f"{store.row.code}: the mail relay can't be used: {run.relay_trouble}")


async def _note(report: Report, started: datetime) -> None:
    """Keep a run that did something or failed, and always the newest one of its kind."""
    finished = datetime.now(UTC)
    error = "; ".join(report.errors)[:2000] or None
    last = await JobRun.filter(job=report.job).order_by("-started_at").first()
    values: dict[str, Any] = {
        "started_at": started, "finished_at": finished, "counts": report.counts, "error": error
    }  # fmt: skip
    if last is not None and not last.counts and last.error is None:
        await JobRun.filter(id=last.id).update(**values)
    else:
        await JobRun.create(job=report.job, **values)
    await JobRun.filter(job=report.job, started_at__lt=finished - KEPT_RUNS).exclude(id=last.id if last else 0).delete()
