"""Coupons: the list, taking one back, what the months cost, and the table of percents with what it would have cost."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.paging import Page, PageQuery, Query, page_of, read_cursor
from admin.api.periods import stores_of
from admin.api.problems import Problem, not_found
from admin.api.sql import Where, count, rows
from admin.coupon_table import Cell, cells_of
from recovery import coupons_ledger, coupons_sweep, db
from recovery.models import Coupon, CouponBudget
from recovery.stores import registry
from recovery.text import mask_code

api = Operations("coupons")

StoreId = Annotated[int, Field(ge=1, le=2**31 - 1)]
Status = Literal["reserved", "issued", "redeemed", "withdrawing", "released"]
MONTHS = 12
_ROWS = """
WITH page AS (SELECT k.id FROM coupon k WHERE {where} ORDER BY k.created_at DESC, k.id DESC LIMIT {limit})
SELECT k.id, k.store_id, k.abandonment_id, c.quote_id, k.code, k.percent, k.source, k.status, k.amount, k.currency,
       k.created_at, k.expires_at, k.issued_at, k.redeemed_at, k.closed_at, k.closed_reason, k.last_error
  FROM page p JOIN coupon k ON k.id = p.id JOIN cart c ON c.id = k.cart_id
 ORDER BY k.created_at DESC, k.id DESC
"""


class CouponQuery(PageQuery):
    """Which coupons."""

    store: int | None = Field(None, ge=1, le=2**31 - 1)
    status: Status | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    q: str | None = Field(None, max_length=64, description="A whole code")


class CouponRow(BaseModel):
    """One coupon."""

    id: UUID
    store: int
    abandonment: int
    quote_id: str
    code: str = Field(description="Masked without `personal:read`")
    percent: int
    source: str
    status: str
    amount: int = Field(description="The most it can cost, in minor units")
    currency: str
    created_at: datetime
    expires_at: datetime
    issued_at: datetime | None
    redeemed_at: datetime | None
    closed_at: datetime | None
    closed_reason: str | None
    last_error: str | None


class StoreQuery(Query):
    """Which store."""

    store: int | None = Field(None, ge=1, le=2**31 - 1)


class MonthRow(BaseModel):
    """What the coupons of a month may cost and cost at worst, in minor units."""

    store: int
    month: str
    currency: str
    cap: int | None
    reserved: int
    issued: int
    redeemed: int
    released: int


class Months(BaseModel):
    """The newest months of each store."""

    items: list[MonthRow]


class CellRow(BaseModel):
    """A part of the table: scores and values from … to below …, the percent, and the last carts that fell there."""

    score_from: float
    score_below: float
    value_from: float
    value_below: float | None = Field(description="In whole units of the store's currency; null: without end")
    percent: int = Field(description="Under the store's maximum and minimum value")
    carts: int
    cost: int = Field(description="What the percent of those carts comes to at worst, in minor units")


class Table(BaseModel):
    """The table of a store over its last carts; whether one would really get a coupon depends on more than this."""

    currency: str
    carts: int = Field(description="How many of the last carts were looked at, 100 at most")
    cells: list[CellRow]


@api.add("GET", "/coupons", scope="coupons:read")
async def list_coupons(call: Call, query: CouponQuery) -> Page[CouponRow]:
    """The coupons, newest first."""
    where = Where()
    where.given("k.store_id = ANY({}::int[])", call.store_filter(query.store))
    where.given("k.status = {}", query.status)
    where.given("k.created_at >= {}", query.since)
    where.given("k.created_at < {}", query.until)
    where.given("upper(k.code) = upper({})", query.q)
    total = await count("coupon k", where)
    start = read_cursor(query.after, (str, str))
    if start is not None:
        where.add("(k.created_at, k.id) < ({}, {}::uuid)", *_start(start))
    found = await rows(_ROWS.format(limit=where.value(query.limit + 1), where=where.sql), where.values)
    cursors = [[each["created_at"].isoformat(), str(each["id"])] for each in found]
    return page_of([_row(call, each) for each in found], query.limit, cursors, total)


@api.add("POST", "/coupons/{id}/withdraw", scope="coupons:write")
async def withdraw_coupon(call: Call, id: UUID) -> CouponRow:
    """Take an unused coupon back; the shop is told in the next run of sending."""
    coupon = await Coupon.get_or_none(id=id)
    if coupon is None or not call.who.sees(coupon.store_id):
        raise not_found("coupon")
    async with db.in_transaction():
        if not await coupons_sweep.withdraw_one(coupon, call.now):
            raise Problem(409, "refused", f"This coupon is {coupon.status}; only an unused one can be taken back.")
        (row,) = await rows(_ROWS.format(where="k.id = $1", limit="1"), [id])
        await call.note(
            "coupon.withdrawn", f"coupon {id}", store_id=coupon.store_id, before={"status": coupon.status},
            after={"status": row["status"]},
        )  # fmt: skip
    return _row(call, row)


@api.add("GET", "/coupons/budget", scope="coupons:read")
async def show_budget(call: Call, query: StoreQuery) -> Months:
    """What the coupons of each month may cost and cost, at worst; the running month first."""
    items = []
    for store in await stores_of(call, query.store):
        now = coupons_ledger.month_of(store, call.now)
        found = await CouponBudget.filter(store_id=store.row.id).order_by("-month", "currency").limit(MONTHS)
        if now.key not in {row.key for row in found}:
            found.insert(0, CouponBudget(key=now.key, month=now.month, currency=now.currency, cap=now.cap))
        items += [
            MonthRow(
                store=store.row.id, month=row.month, currency=row.currency,
                cap=now.cap if row.key == now.key else row.cap, reserved=row.reserved, issued=row.issued,
                redeemed=row.redeemed, released=row.released,
            )
            for row in found
        ]  # fmt: skip
    return Months(items=items)


@api.add("GET", "/stores/{id}/coupons/table", scope="coupons:read")
async def show_table(call: Call, id: StoreId) -> Table:
    """The coupon table of a store: per cell, how many of the last 100 carts fell there and what they would cost."""
    store = await registry.in_force(await call.store(id))
    carts, cells = await cells_of(store)
    return Table(currency=store.row.currency, carts=carts, cells=[_cell(cell) for cell in cells])


def _cell(cell: Cell) -> CellRow:
    return CellRow(
        score_from=cell.score_from, score_below=cell.score_below, value_from=cell.value_from,
        value_below=cell.value_below, percent=cell.percent, carts=cell.carts, cost=cell.cost,
    )  # fmt: skip


def _start(values: list[Any]) -> list[Any]:
    """The values of a cursor as the statement takes them.

    Raises:
        Problem: they are none.
    """
    try:
        return [datetime.fromisoformat(values[0]), UUID(values[1])]
    except ValueError:
        raise not_found("page") from None


def _row(call: Call, row: dict[str, Any]) -> CouponRow:
    told = {name: value for name, value in row.items() if name not in {"store_id", "abandonment_id", "code"}}
    code = row["code"] if call.shows_personal else mask_code(row["code"])
    return CouponRow(store=row["store_id"], abandonment=row["abandonment_id"], code=code, **told)
