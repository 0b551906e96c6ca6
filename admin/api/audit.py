"""What was changed and by whom, newest first."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from admin.api.call import Call
from admin.api.operations import Operations
from admin.api.paging import COUNTED, Page, PageQuery, page_of, read_cursor
from admin.models import AuditEntry

api = Operations("audit")


class AuditQuery(PageQuery):
    """Which changes."""

    action: str | None = None
    actor: str | None = None


class AuditRow(BaseModel):
    """One change."""

    id: int
    at: datetime
    actor: str
    actor_kind: str
    action: str
    target: str
    store: int | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    request_id: str | None


@api.add("GET", "/audit", scope="audit:read")
async def list_changes(call: Call, query: AuditQuery) -> Page[AuditRow]:
    """Every change, newest first."""
    found = AuditEntry.all()
    if query.action:
        found = found.filter(action=query.action)
    if query.actor:
        found = found.filter(actor_name=query.actor)
    start = read_cursor(query.after, (int,))
    page = found.filter(id__lt=start[0]) if start else found
    rows = await page.order_by("-id").limit(query.limit + 1)
    total = await found.limit(COUNTED + 1).count()
    return page_of([_row(row) for row in rows], query.limit, [[row.id] for row in rows], total)


def _row(row: AuditEntry) -> AuditRow:
    return AuditRow(
        id=row.id,
        at=row.at,
        actor=row.actor_name,
        actor_kind=row.actor_kind,
        action=row.action,
        target=row.target,
        store=row.store_id,
        before=row.before,
        after=row.after,
        request_id=row.request_id,
    )
