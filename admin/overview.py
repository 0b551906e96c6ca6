"""The first page: the last 30 days in figures, whether everything runs, the stores, and the carts left behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from admin.pages import Pager, ago, money, page, page_number
from recovery import analytics, db, health, jobs, proof_report
from recovery.clock import SystemClock
from recovery.eligibility import REASONS
from recovery.models import Abandonment, Store
from recovery.runtime import Runtime

WINDOW = timedelta(days=30)
PER_PAGE = 20
STATUSES = ("detected", "scored", "skipped", "contacted", "recovered", "superseded", "dismissed", "expired", "erased")

_FIGURES = """
SELECT (SELECT count(*) FROM abandonment WHERE detected_at > $1) AS left_behind,
       (SELECT count(*) FROM abandonment WHERE scored_at > $1) AS scored,
       (SELECT count(*) FROM email WHERE status = 'sent' AND sent_at > $1) AS mails
"""
_ROWS = """
SELECT a.id, a.detected_at, a.total, a.currency, a.currency_digits, a.score, a.reason_code, a.status,
       a.recovery_reversed_at IS NOT NULL AS reversed, c.email, c.quote_id, s.name AS store, s.timezone,
       (SELECT count(*) FROM cart_item i WHERE i.cart_id = c.id) AS items,
       m.status AS mail, d.outcome, d.reason
  FROM abandonment a
  JOIN cart c ON c.id = a.cart_id
  JOIN store s ON s.id = a.store_id
  LEFT JOIN LATERAL (SELECT status FROM email WHERE abandonment_id = a.id ORDER BY step DESC LIMIT 1) m ON true
  LEFT JOIN LATERAL (SELECT outcome, reason FROM decision
                      WHERE abandonment_id = a.id ORDER BY at DESC, id DESC LIMIT 1) d ON true
 WHERE ($1::text = '' OR a.status = $1) AND ($2::int = 0 OR a.store_id = $2)
 ORDER BY a.detected_at DESC, a.id DESC
 LIMIT $3 OFFSET $4
"""
_OUTCOMES = {
    "queued": "queued",
    "waiting": "waiting",
    "sent": "sent",
    "skipped": "not mailed",
    "held_out": "held out",
    "would_send": "would be mailed",
}


@dataclass(frozen=True)
class Part:
    """One thing that must run: ``state`` is ``good``, ``note`` or ``wrong``."""

    name: str
    state: str
    words: str


async def show(request: Request) -> Response:
    """``GET /admin?status=&store=&page=``: figures, health, stores and one page of abandonments."""
    runtime: Runtime = request.state.runtime
    now = runtime.now()
    stores = await Store.all().prefetch_related("connection").order_by("id")
    status = request.query_params.get("status", "")
    status = status if status in STATUSES else ""
    store = next((s for s in stores if str(s.id) == request.query_params.get("store")), None)
    rows, pager = await _abandonments(status, store.id if store else 0, page_number(request))
    return page(
        "overview",
        request,
        now=now,
        tiles=await _tiles(now, [each.id for each in stores]),
        parts=await _parts(runtime),
        stores=stores,
        statuses=STATUSES,
        chosen_status=status,
        chosen_store=store,
        rows=rows,
        pager=pager,
    )


async def _tiles(now: datetime, store_ids: Sequence[int]) -> list[tuple[str, str]]:
    (figures,) = await db.client().execute_query_dict(_FIGURES, [now - WINDOW])
    sums = await analytics.came_back(store_ids, now - WINDOW)
    proof = await proof_report.compare(store_ids, now - WINDOW, now, with_money=False)
    return [
        ("Carts left behind", str(figures["left_behind"])),
        ("Scored", str(figures["scored"])),
        ("Mails sent", str(figures["mails"])),
        ("Came back", _counted([(each, each.all) for each in sums])),
        ("Brought by us", _counted([(each, each.by_us) for each in sums])),
        ("More than the held-out", _more(proof)),
    ]


def _counted(sums: Sequence[tuple[analytics.CameBack, analytics.Sum]]) -> str:
    """How many orders, and their revenue in each currency."""
    orders = sum(total.orders for _, total in sums)
    revenue = [money(total.revenue, each.currency, each.digits) for each, total in sums if total.orders]
    return " · ".join([str(orders), *revenue])


def _more(proof: proof_report.Proof) -> str:
    """How many of the people who could be mailed ordered who else would not have, if that can be told."""
    more = proof.more_buyers
    if proof.is_unfair:
        return "the draw is broken"
    if more is None:
        return "nobody held out"
    told = f"{more.estimate:+.0f} people ({more.low:+.0f} … {more.high:+.0f})"
    return f"{told}, too few to tell" if more.spans_zero else told


async def _abandonments(status: str, store_id: int, number: int) -> tuple[list[dict[str, Any]], Pager]:
    wanted = {name: value for name, value in (("status", status), ("store_id", store_id)) if value}
    filters = {name: str(value) for name, value in (("status", status), ("store", store_id)) if value}
    total = await Abandonment.filter(**wanted).count()
    pager = Pager("/admin", number, PER_PAGE, total, filters)
    rows = await db.client().execute_query_dict(_ROWS, [status, store_id, PER_PAGE, pager.offset])
    return [row | {"mail_words": _mail(row)} for row in rows], pager


def _mail(row: dict[str, Any]) -> str:
    """What became of the newest mail; without one, what was decided instead."""
    if row["mail"]:
        return str(row["mail"])
    if row["outcome"] is None:
        return "not decided yet"
    outcome = _OUTCOMES.get(row["outcome"], row["outcome"])
    # A hold-out's reason says the same once more.
    reason = row["reason"] if row["outcome"] != "held_out" else None
    return f"{outcome}: {REASONS.get(reason, reason)}" if reason else outcome


async def _parts(runtime: Runtime) -> list[Part]:
    runs = await jobs.last_runs()
    worker, machine_time = await health.worker_state(), SystemClock().now()
    parts = [
        Part("Database", "good", "answers"),
        Part("Worker", "good" if worker == "ok" else "wrong", "alive" if worker == "ok" else worker),
    ]
    for job in jobs.JOBS:
        run = runs.get(job)
        if run is None:
            parts.append(Part(f"Job {job}", "note", "has not run yet"))
            continue
        # Runs are noted in the machine's time, whatever the demo's clock says.
        when = ago(run.finished_at, machine_time)
        parts.append(
            Part(f"Job {job}", "wrong" if run.error else "good", f"{when}: {run.error}" if run.error else when)
        )
    return parts
