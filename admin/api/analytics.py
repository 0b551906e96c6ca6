"""Recovery analytics: the series of a time, its carts by reason, score, message, coupon, words and store; as CSV."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.responses import Response

from admin import breakdowns, figures
from admin.api.call import Call
from admin.api.dashboard import BucketRow, EarnedRow, LeftOut, bucket_row
from admin.api.operations import Operations
from admin.api.periods import PeriodQuery, period_of, stores_of
from admin.periods import Period
from admin.sheets import csv_of
from recovery.eligibility import REASONS
from recovery.money import to_decimal

api = Operations("analytics")

RULE = (
    "All: every order of the cart or its person after the cart was left, whatever brought it. By us: orders for which "
    "the shop told a link of ours, that used a coupon of ours, or that followed within 24 hours on a click that looks "
    "like a person's; links count for the store's attribution_days ({days}). Cancelled orders count nowhere, refunds "
    "are taken off. What came because of the mails is told by the held-out: /dashboard/proof."
)


class AnalyticsQuery(PeriodQuery):
    """Which store and time, and how long each point of the series is."""

    unit: Literal["day", "week", "month"] = "day"


class CsvQuery(AnalyticsQuery):
    """Which of the tables."""

    table: Literal["series", "left_out", "reason", "score_band", "step", "coupon", "words", "store", "arm"] = "series"


class GroupRow(BaseModel):
    """Carts left behind in this time that have one property."""

    key: str = Field(description="A reason code, the lower end of a score band, a message's number, a store's id …")
    carts: int
    mailed: int
    recovered: int
    rate: float = Field(description="Of its carts, the share that came back")
    earned: list[EarnedRow]


class Breakdown(BaseModel):
    """The carts by one property."""

    by: breakdowns.By
    rows: list[GroupRow]


class Analytics(BaseModel):
    """The series and every table of a time."""

    timezone: str
    rule: str = Field(description="What counts as brought by us, to stand on the page")
    series: list[BucketRow]
    breakdowns: list[Breakdown]
    left_out: list[LeftOut]


@api.add("GET", "/analytics", scope="carts:read")
async def show_analytics(call: Call, query: AnalyticsQuery) -> Analytics:
    """The series of a time, and its carts by each property with how many came back."""
    stores = await stores_of(call, query.store)
    period, ids = period_of(call, query, stores), [store.row.id for store in stores]
    days = ", ".join(sorted({str(store.settings.attribution_days) for store in stores}))
    return Analytics(
        timezone=period.zone.key,
        rule=RULE.format(days=days),
        series=[bucket_row(bucket) for bucket in await figures.series(ids, period, query.unit)],
        breakdowns=[Breakdown(by=by, rows=await _groups(ids, period, by)) for by in breakdowns.GROUPINGS],
        left_out=await _left_out(ids, period),
    )


@api.add("GET", "/analytics/csv", scope="carts:read", media="text/csv")
async def export_analytics(call: Call, query: CsvQuery) -> Response:
    """One of the tables for a spreadsheet, amounts in whole units of their currency."""
    stores = await stores_of(call, query.store)
    period, ids = period_of(call, query, stores), [store.row.id for store in stores]
    if query.table == "series":
        text = _series_sheet(await figures.series(ids, period, query.unit))
    elif query.table == "left_out":
        rows = [(row.outcome, row.reason, row.words, row.carts) for row in await _left_out(ids, period)]
        text = csv_of(("outcome", "reason", "words", "carts"), rows)
    else:
        text = _groups_sheet(query.table, await _groups(ids, period, query.table))
    headers = {"Content-Disposition": f'attachment; filename="cartback-{query.table}.csv"'}
    return Response(text, 200, headers=headers, media_type="text/csv; charset=utf-8")


async def _groups(ids: Sequence[int], period: Period, by: breakdowns.By) -> list[GroupRow]:
    return [
        GroupRow(
            key=group.key,
            carts=group.carts,
            mailed=group.mailed,
            recovered=group.recovered,
            rate=round(group.recovered / group.carts, 6),
            earned=[EarnedRow(currency=e.currency, digits=e.digits, all=e.all, by_us=e.by_us) for e in group.earned],
        )
        for group in await breakdowns.groups(ids, period, by)
    ]


async def _left_out(ids: Sequence[int], period: Period) -> list[LeftOut]:
    found = await breakdowns.left_out(ids, period)
    return [LeftOut(**row, words=REASONS.get(row["reason"] or "", row["reason"] or "")) for row in found]


def _series_sheet(buckets: Iterable[figures.Bucket]) -> str:
    rows = [bucket_row(bucket) for bucket in buckets]
    names = ("abandoned", "emails_sent", "recovered", "coupons_used", "conversations")
    currencies = sorted({earned.currency for row in rows for earned in row.earned})
    cells = [
        [row.day.isoformat(), *(getattr(row, name) for name in names), *_sums(row.earned, currencies)] for row in rows
    ]
    return csv_of(["day", *names, *_sum_heads(currencies)], cells)


def _groups_sheet(by: str, rows: Sequence[GroupRow]) -> str:
    currencies = sorted({earned.currency for row in rows for earned in row.earned})
    cells = [[row.key, row.carts, row.mailed, row.recovered, row.rate, *_sums(row.earned, currencies)] for row in rows]
    return csv_of([by, "carts", "mailed", "recovered", "rate", *_sum_heads(currencies)], cells)


def _sum_heads(currencies: Sequence[str]) -> list[str]:
    return [f"{which} {currency}" for currency in currencies for which in ("revenue", "by us")]


def _sums(earned: Sequence[EarnedRow], currencies: Sequence[str]) -> list[Any]:
    known = {each.currency: each for each in earned}
    cells: list[Any] = []
    for currency in currencies:
        each = known.get(currency)
        cells += ["", ""] if each is None else [to_decimal(each.all, each.digits), to_decimal(each.by_us, each.digits)]
    return cells
