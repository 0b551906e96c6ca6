"""The mails: the list, one with everything that became of it, how it looks, taking it back, sending it again."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.responses import Response

from admin import mail_previews
from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.paging import Page, PageQuery, Query, page_of, read_cursor
from admin.api.problems import not_found
from admin.api.sql import Where, count, rows
from recovery import db, delivery_by_hand
from recovery.eligibility import explained
from recovery.emails import message_id
from recovery.errors import CartbackError
from recovery.explain import ENDS
from recovery.models import Abandonment, Decision, Email, Store
from recovery.stores import registry
from recovery.text import email_address, mask_address, mask_addresses

api = Operations("emails")

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
StoreId = Annotated[int, Field(ge=1, le=2**31 - 1)]
Status = Literal["pending", "claimed", "sending", "sent", "failed", "unknown", "cancelled", "suppressed"]
MOST_AT_ONCE = 500
#: A mail may show pictures and its own style, and nothing else; links don't open inside the frame.
PREVIEW_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src http: https: data:; style-src 'unsafe-inline'; sandbox; "
    "frame-ancestors 'self'"
}
_ROWS = """
WITH page AS (SELECT m.id FROM email m WHERE {where} ORDER BY m.created_at DESC, m.id DESC LIMIT {limit})
SELECT m.id, m.store_id, m.abandonment_id, m.step, m.to_address, m.subject, m.status, m.attempts, m.created_at,
       m.next_attempt_at, m.sent_at, m.closed_at, m.closed_reason, m.smtp_code, m.smtp_text, m.copy_status,
       m.words ->> 'written_by' AS written_by, m.words -> 'coupon' ->> 'percent' AS percent, c.quote_id
  FROM page p JOIN email m ON m.id = p.id
  JOIN abandonment a ON a.id = m.abandonment_id
  JOIN cart c ON c.id = a.cart_id
 ORDER BY m.created_at DESC, m.id DESC
"""


class EmailQuery(PageQuery):
    """Which mails."""

    store: int | None = Field(None, ge=1, le=2**31 - 1)
    status: Status | None = None
    abandonment: int | None = Field(None, ge=1, le=2**63 - 1, description="About this cart")
    since: AwareDatetime | None = Field(None, description="Queued at or after")
    until: AwareDatetime | None = Field(None, description="Queued before")
    q: str | None = Field(None, max_length=320, description="An address, or a Message-ID or its first part")


class EmailRow(BaseModel):
    """One mail."""

    id: UUID
    store: int
    abandonment: int
    quote_id: str
    step: int = Field(description="Which message of the sequence, from 0")
    customer: str | None = Field(description="The address; masked without `personal:read`, null once erased")
    subject: str | None
    status: str
    attempts: int
    created_at: datetime
    next_attempt_at: datetime | None = Field(description="When it is tried next; null when it has ended")
    sent_at: datetime | None
    closed_at: datetime | None
    closed_reason: str | None
    smtp_code: int | None
    smtp_text: str | None = Field(description="What the relay said last, addresses in it masked")
    written_by: str | None = Field(description="ready_made or the model; null until its words are chosen")
    percent: int | None = Field(description="Of the coupon it carries")
    copy_status: str | None = Field(description="Of the shop's own copy")


class Verdict(BaseModel):
    """A decision about this message."""

    at: datetime
    outcome: str
    reason: str | None
    words: str


class EmailDetail(BaseModel):
    """One mail with everything that became of it."""

    row: EmailRow
    message_id: str
    max_attempts: int
    words: dict[str, Any] | None = Field(description="What it says, chosen once")
    closed_words: str = Field(description="Why it ended, in words; empty if it did not or was sent")
    decisions: list[Verdict]
    can_cancel: bool
    can_resend: bool


class PreviewQuery(Query):
    """How it is looked at."""

    dark: bool = Field(False, description="As in a reader with a dark scheme")


class StepPreviewQuery(PreviewQuery):
    """Which message is looked at, and how."""

    step: int = Field(0, ge=0, le=9, description="Which message of the sequence, from 0")


class Again(BaseModel):
    """Sending it once more."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    may_have_arrived: bool = Field(
        False, description="Needed for a mail whose end is unknown: the person knows that it may arrive twice"
    )


class RetryCall(BaseModel):
    """Which failed mails go again."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    days: int = Field(7, ge=1, le=30, description="Those that failed in the last so many days")


class RetryReport(BaseModel):
    """What became of each."""

    queued: list[UUID]
    refused: dict[str, str] = Field(description="Mails that do not go again, each with why")


@api.add("GET", "/emails", scope="emails:read")
async def list_emails(call: Call, query: EmailQuery) -> Page[EmailRow]:
    """The mails, newest first."""
    where = _where(call, query)
    total = await count("email m", where)
    start = read_cursor(query.after, (str, str))
    if start is not None:
        where.add("(m.created_at, m.id) < ({}, {}::uuid)", *_start(start))
    found = await rows(_ROWS.format(limit=where.value(query.limit + 1), where=where.sql), where.values)
    cursors = [[each["created_at"].isoformat(), str(each["id"])] for each in found]
    return page_of([_row(call, each) for each in found], query.limit, cursors, total)


@api.add("GET", "/emails/{id}", scope="emails:read")
async def show_email(call: Call, id: UUID) -> EmailDetail:
    """One mail: its words, the relay's answer, why it went or did not."""
    email = await _found(call, id)
    (row,) = await rows(_ROWS.format(where="m.id = $1", limit="1"), [id])
    store = await registry.in_force(await Store.get(id=email.store_id))
    decisions = await Decision.filter(abandonment_id=email.abandonment_id, step=email.step).order_by("at", "id")
    ended = email.closed_reason if email.status != "sent" else None
    return EmailDetail(
        row=_row(call, row),
        message_id=message_id(email, store),
        max_attempts=store.settings.max_email_attempts,
        words=email.words,
        closed_words=ENDS.get(ended) or explained(ended, (), store.zone) if ended else "",
        decisions=[
            Verdict(
                at=each.at,
                outcome=each.outcome,
                reason=each.reason,
                words=explained(each.reason, each.checks, store.zone) if each.reason else "",
            )
            for each in decisions
        ],
        can_cancel=email.status in {"pending", "claimed"},
        can_resend=email.status in {"failed", "unknown"},
    )


@api.add("GET", "/emails/{id}/html", scope="emails:read", media="text/html")
async def show_html(call: Call, id: UUID, query: PreviewQuery) -> Response:
    """How a mail looks, for a sandboxed frame: pictures and style only, and its links lead nowhere."""
    return _html(call, await mail_previews.of_email(call.runtime, await _found(call, id), dark=query.dark))


@api.add("GET", "/emails/{id}/text", scope="emails:read", media="text/plain")
async def show_text(call: Call, id: UUID) -> Response:
    """The text part of a mail; its links lead nowhere."""
    preview = await mail_previews.of_email(call.runtime, await _found(call, id))
    return Response(_shown(call, preview.text), 200, media_type="text/plain; charset=utf-8")


@api.add("GET", "/abandonments/{id}/mail", scope="emails:read", media="text/html")
async def preview_message(call: Call, id: Id, query: StepPreviewQuery) -> Response:
    """What a message about a cart would look like if it went now, without its coupon."""
    found = await Abandonment.get_or_none(id=id).prefetch_related("cart__items")
    if found is None or not call.who.sees(found.store_id):
        raise not_found("cart")
    return _html(call, await mail_previews.of_step(call.runtime, found, query.step, dark=query.dark))


@api.add("POST", "/emails/{id}/cancel", scope="emails:write")
async def cancel_email(call: Call, id: UUID) -> EmailRow:
    """Take back a mail that waits; the next message of the sequence is not touched."""
    before = await _found(call, id)
    async with db.in_transaction():
        after = await delivery_by_hand.cancel(id, call.now)
        await _note(call, "email.cancelled", before, after)
    return await _one(call, id)


@api.add("POST", "/emails/{id}/resend", scope="emails:write")
async def resend_email(call: Call, id: UUID, body: Again) -> EmailRow:
    """Send a mail again that failed or of which nobody knows; every check runs again, and two never go."""
    before = await _found(call, id)
    async with db.in_transaction():
        after = await delivery_by_hand.send_again(id, call.now, may_have_arrived=body.may_have_arrived)
        await _note(call, "email.resent", before, after)
    await call.runtime.doorbell.ring("email")
    return await _one(call, id)


@api.add("POST", "/stores/{id}/emails/retry", scope="emails:write")
async def retry_failed(call: Call, id: StoreId, body: RetryCall) -> RetryReport:
    """Send every failed mail of a store again; those of which nobody knows are a decision for each by itself."""
    await call.store(id)
    failed = (
        await Email.filter(store_id=id, status="failed", closed_at__gt=call.now - timedelta(days=body.days))
        .order_by("closed_at")
        .limit(MOST_AT_ONCE)
    )
    queued, refused = [], {}
    for mail in failed:
        try:
            async with db.in_transaction():
                after = await delivery_by_hand.send_again(mail.id, call.now, may_have_arrived=False)
                await _note(call, "email.resent", mail, after)
        except CartbackError as error:
            refused[str(mail.id)] = str(error)
        else:
            queued.append(mail.id)
    if queued:
        await call.runtime.doorbell.ring("email")
    return RetryReport(queued=queued, refused=refused)


async def _found(call: Call, email_id: UUID) -> Email:
    email = await Email.get_or_none(id=email_id)
    if email is None or not call.who.sees(email.store_id):
        raise not_found("mail")
    return email


async def _one(call: Call, email_id: UUID) -> EmailRow:
    (row,) = await rows(_ROWS.format(where="m.id = $1", limit="1"), [email_id])
    return _row(call, row)


async def _note(call: Call, action: str, before: Email, after: Email) -> None:
    told = [{"status": each.status, "reason": each.closed_reason} for each in (before, after)]
    await call.note(action, f"email {before.id}", store_id=before.store_id, before=told[0], after=told[1])


def _html(call: Call, preview: mail_previews.Preview) -> Response:
    html = _shown(call, preview.html)
    return Response(html, 200, headers=PREVIEW_HEADERS, media_type="text/html; charset=utf-8")


def _shown(call: Call, text: str) -> str:
    return text if call.shows_personal else mask_addresses(text)


def _where(call: Call, query: EmailQuery) -> Where:
    where = Where()
    where.given("m.store_id = ANY({}::int[])", call.store_filter(query.store))
    where.given("m.status = {}", query.status)
    where.given("m.abandonment_id = {}", query.abandonment)
    where.given("m.created_at >= {}", query.since)
    where.given("m.created_at < {}", query.until)
    if query.q:
        _search(call, where, query.q.strip())
    return where


def _search(call: Call, where: Where, text: str) -> None:
    """By a Message-ID, which is the mail's own id and the sender's domain, or else by the customer's address."""
    local = text.strip("<>").partition("@")[0]
    try:
        where.add("m.id = {}::uuid", UUID(local))
    except ValueError:
        address = email_address(text.lower())
        where.add("m.email_hash = {}", call.runtime.keys.email_hash(address) if address else "")


def _start(values: list[Any]) -> list[Any]:
    """The values of a cursor as the statement takes them.

    Raises:
        Problem: they are none.
    """
    try:
        return [datetime.fromisoformat(values[0]), UUID(values[1])]
    except ValueError:
        raise not_found("page") from None


def _row(call: Call, row: dict[str, Any]) -> EmailRow:
    address, ended = row["to_address"], row["status"] not in {"pending", "claimed"}
    return EmailRow(
        id=row["id"],
        store=row["store_id"],
        abandonment=row["abandonment_id"],
        quote_id=row["quote_id"],
        step=row["step"],
        customer=address if address is None or call.shows_personal else mask_address(address),
        subject=row["subject"],
        status=row["status"],
        attempts=row["attempts"],
        created_at=row["created_at"],
        next_attempt_at=None if ended else row["next_attempt_at"],
        sent_at=row["sent_at"],
        closed_at=row["closed_at"],
        closed_reason=row["closed_reason"],
        smtp_code=row["smtp_code"],
        smtp_text=mask_addresses(row["smtp_text"]) if row["smtp_text"] else None,
        written_by=row["written_by"],
        percent=None if row["percent"] is None else int(row["percent"]),
        copy_status=row["copy_status"],
    )
