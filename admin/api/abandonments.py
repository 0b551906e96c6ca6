"""The carts left behind: the list with its filters, and one of them with everything that became of it."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from admin import carts
from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.paging import Page, PageQuery, page_of, read_cursor
from admin.api.problems import not_found
from admin.api.sql import Where, count, rows
from admin.timeline import Moment, timeline_of
from recovery.explain import explain_cart
from recovery.models import Abandonment, CartItem
from recovery.text import email_address, mask_address

api = Operations("abandonments")

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Status = Literal[
    "detected", "scored", "skipped", "contacted", "recovered", "superseded", "dismissed", "expired", "erased"
]
MailStatus = Literal["none", "pending", "claimed", "sending", "sent", "failed", "unknown", "cancelled", "suppressed"]
#: What a list may be sorted by: the column, its kind in a cursor, and how a cursor's text becomes its value.
_SORTS: dict[str, tuple[str, type, str]] = {
    "detected_at": ("a.detected_at", str, "::timestamptz"),
    "total": ("a.total", int, "::bigint"),
    "score": ("coalesce(a.score, -1)", float, "::float8"),
}
_LATEST_MAIL = "(SELECT status FROM email WHERE abandonment_id = a.id ORDER BY step DESC LIMIT 1)"
_ROWS = """
WITH page AS (SELECT a.id, {key} AS sort_key FROM abandonment a
               WHERE {where} ORDER BY {key} {way}, a.id {way} LIMIT {limit})
SELECT a.id, a.store_id, a.detected_at, a.status, a.total, a.currency, a.currency_digits, a.score, a.reason_code,
       a.arm, a.recovered_at, a.recovered_revenue, a.recovery_reversed_at, c.quote_id, c.email,
       (SELECT count(*) FROM cart_item i WHERE i.cart_id = c.id) AS items,
       {mail} AS mail, d.outcome, d.reason, p.sort_key::text AS sort_text
  FROM page p
  JOIN abandonment a ON a.id = p.id
  JOIN cart c ON c.id = a.cart_id
  LEFT JOIN LATERAL (SELECT outcome, reason FROM decision
                      WHERE abandonment_id = a.id ORDER BY at DESC, id DESC LIMIT 1) d ON true
 ORDER BY p.sort_key {way}, a.id {way}
"""

#: Carts, abandonments and orders by the names a search may hold; one name stands for few of them.
_NAMED = (
    "SELECT id FROM cart WHERE quote_id = $1 LIMIT 500",
    "SELECT abandonment_id AS id FROM coupon WHERE upper(code) = upper($1) LIMIT 500",
    'SELECT id FROM "order" WHERE order_id = $1 OR number = $1 LIMIT 500',
)


class AbandonmentQuery(PageQuery):
    """Which carts, in which order."""

    store: int | None = Field(None, ge=1, le=2**31 - 1)
    status: Status | None = None
    mail: MailStatus | None = Field(None, description="What became of the newest mail")
    reason: str | None = Field(None, max_length=32, description="Reason code")
    skipped_for: str | None = Field(None, max_length=32, description="Why the newest step was not written to")
    score_from: float | None = Field(None, ge=0, le=1)
    score_to: float | None = Field(None, ge=0, le=1)
    total_from: int | None = Field(None, ge=0, le=2**62, description="Minor units")
    total_to: int | None = Field(None, ge=0, le=2**62, description="Minor units")
    since: datetime | None = Field(None, description="Detected at or after")
    until: datetime | None = Field(None, description="Detected before")
    q: str | None = Field(None, max_length=254, description="A quote id, an address, a coupon's code or an order id")
    sort: Literal["detected_at", "-detected_at", "total", "-total", "score", "-score"] = "-detected_at"


class AbandonmentRow(BaseModel):
    """One cart left behind."""

    id: int
    store: int
    quote_id: str
    customer: str | None = Field(description="The address; masked without `personal:read`")
    detected_at: datetime
    status: str
    items: int
    total: int = Field(description="Minor units, as it was left")
    currency: str
    currency_digits: int
    score: float | None
    reason_code: str | None
    held_out: bool
    mail: str | None = Field(description="What became of the newest mail")
    outcome: str | None = Field(description="The newest decision: queued, waiting, sent, skipped, held_out …")
    reason: str | None = Field(description="The check that failed")
    recovered_at: datetime | None
    revenue: int | None = Field(description="Minor units of the order that brought it back")
    reversed: bool = Field(description="Whether that order was cancelled")


class Signal(BaseModel):
    """One part of the score."""

    name: str
    words: str
    seen: str
    points: float


class Line(BaseModel):
    """A line of the cart as it is now."""

    product_id: str
    name: str
    options: list[dict[str, str]]
    quantity: str = Field(description="Decimal")
    total: int | None = Field(description="Minor units")
    image: str | None


class AbandonmentDetail(BaseModel):
    """One cart with everything that became of it."""

    row: AbandonmentRow
    explanation: list[str] = Field(description="Why it went as it went, in sentences")
    signals: list[Signal]
    scored_by: str | None
    changed_since: bool = Field(description="Whether the cart was changed after it had been left")
    lines: list[Line]
    timeline: list[Moment]


@api.add("GET", "/abandonments", scope="carts:read")
async def list_abandonments(call: Call, query: AbandonmentQuery) -> Page[AbandonmentRow]:
    """The carts left behind, newest first unless sorted otherwise."""
    where = await _where(call, query)
    total = await count("abandonment a", where)
    way = "DESC" if query.sort.startswith("-") else "ASC"
    key, kind, cast = _SORTS[query.sort.removeprefix("-")]
    start = read_cursor(query.after, (kind, int))
    if start is not None:
        where.add(f"({key}, a.id) {'<' if way == 'DESC' else '>'} ({{}}{cast}, {{}})", *_start(start, kind))
    limit = where.value(query.limit + 1)
    statement = _ROWS.format(key=key, way=way, where=where.sql, limit=limit, mail=_LATEST_MAIL)
    found = await rows(statement, where.values)
    cursors = [[_cursor_value(each["sort_text"], kind), each["id"]] for each in found]
    return page_of([_row(call, each) for each in found], query.limit, cursors, total)


@api.add("GET", "/abandonments/{id}", scope="carts:read")
async def show_abandonment(call: Call, id: Id) -> AbandonmentDetail:
    """One cart: its score, lines, decisions, mails, clicks, talks and orders."""
    found = await _found(call, id)
    statement = _ROWS.format(key="a.detected_at", way="DESC", where="a.id = $1", limit="1", mail=_LATEST_MAIL)
    (row,) = await rows(statement, [id])
    cart = found.cart
    explanation = await explain_cart(cart, call.now)
    bars = carts.bars(found.contributions)
    items = sorted(cart.items, key=lambda item: item.position)
    return AbandonmentDetail(
        row=_row(call, row),
        explanation=explanation.sentences,
        signals=[
            Signal(name=str(part["signal"]), words=bar.name, seen=bar.seen, points=bar.points)
            for part, bar in zip(found.contributions, bars, strict=True)
        ],
        scored_by=found.scored_by,
        changed_since=cart.fingerprint != found.fingerprint,
        lines=[_line(item) for item in items],
        timeline=await timeline_of(found),
    )


async def _found(call: Call, abandonment_id: int) -> Abandonment:
    found = await Abandonment.get_or_none(id=abandonment_id).prefetch_related("cart__items", "cart__store")
    if found is None or not call.who.sees(found.store_id):
        raise not_found("cart")
    return found


async def _where(call: Call, query: AbandonmentQuery) -> Where:
    where = Where()
    where.given("a.store_id = ANY({}::int[])", call.store_filter(query.store))
    where.given("a.status = {}", query.status)
    if query.mail == "none":
        where.add("NOT EXISTS (SELECT 1 FROM email WHERE abandonment_id = a.id)")
    else:
        where.given(f"{_LATEST_MAIL} = {{}}", query.mail)
    where.given("a.reason_code = {}", query.reason)
    where.given(
        "EXISTS (SELECT 1 FROM decision WHERE abandonment_id = a.id AND outcome = 'skipped' AND reason = {})",
        query.skipped_for,
    )
    where.given("a.score >= {}", query.score_from)
    where.given("a.score <= {}", query.score_to)
    where.given("a.total >= {}", query.total_from)
    where.given("a.total <= {}", query.total_to)
    where.given("a.detected_at >= {}", query.since)
    where.given("a.detected_at < {}", query.until)
    if query.q:
        await _search(call, where, query.q.strip())
    return where


async def _search(call: Call, where: Where, text: str) -> None:
    address = email_address(text.lower())
    if address is not None:
        where.add("a.email_hash = {}", call.runtime.keys.email_hash(address))
        return
    # Looked up first, so that what remains is found by the index of each.
    named = [[row["id"] for row in await rows(statement, [text])] for statement in _NAMED]
    where.add("(a.cart_id = ANY({}::bigint[]) OR a.id = ANY({}::bigint[]) OR a.recovered_order_id = ANY({}::bigint[]))",
              *named)  # fmt: skip


def _start(values: list[Any], kind: type) -> list[Any]:
    """The values of a cursor as the statement takes them."""
    first = datetime.fromisoformat(values[0]) if kind is str else values[0]
    return [first, values[1]]


def _cursor_value(text: str, kind: type) -> Any:
    return text.replace(" ", "T") if kind is str else kind(text)


def _row(call: Call, row: dict[str, Any]) -> AbandonmentRow:
    email = row["email"]
    return AbandonmentRow(
        id=row["id"],
        store=row["store_id"],
        quote_id=row["quote_id"],
        customer=email if email is None or call.shows_personal else mask_address(email),
        detected_at=row["detected_at"],
        status=row["status"],
        items=row["items"],
        total=row["total"],
        currency=row["currency"],
        currency_digits=row["currency_digits"],
        score=row["score"],
        reason_code=row["reason_code"],
        held_out=row["arm"] == "holdout",
        mail=row["mail"],
        outcome=row["outcome"],
        reason=row["reason"],
        recovered_at=row["recovered_at"],
        revenue=row["recovered_revenue"],
        reversed=row["recovery_reversed_at"] is not None,
    )


def _line(item: CartItem) -> Line:
    return Line(
        product_id=item.product_id,
        name=item.name,
        options=item.options,
        quantity=f"{item.quantity / 10_000:g}",
        total=item.row_total,
        image=item.image_url,
    )
