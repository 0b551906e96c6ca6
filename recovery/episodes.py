"""The ends of an abandonment: each closes the episode and takes back the mails that have not gone out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from recovery import webhooks
from recovery.models import Abandonment, Email, Order

OPEN = ("detected", "scored", "skipped", "contacted")
Closed = Literal["recovered", "superseded", "dismissed", "expired", "erased"]


async def close(abandonment: Abandonment, status: Closed, now: datetime) -> None:
    """End an episode. Call with its row locked; closing a closed one changes only its name."""
    abandonment.status = status
    abandonment.open_key = abandonment.due_at = None
    abandonment.closed_at = abandonment.closed_at or now
    await abandonment.save(update_fields=["status", "open_key", "due_at", "closed_at"])
    await take_back_emails([abandonment.id], status, now)


async def take_back_emails(
    abandonment_ids: Sequence[int], reason: str, now: datetime, status: Literal["cancelled", "suppressed"] = "cancelled"
) -> int:
    """Cancel what has not passed the point of no return; whoever composes one loses it by the raised fence."""
    rows = await Email.filter(abandonment_id__in=abandonment_ids, status__in=("pending", "claimed"))
    taken = 0
    for row in rows:
        taken += await Email.filter(id=row.id, fence=row.fence, status=row.status).update(
            status=status, fence=row.fence + 1, closed_at=now, closed_reason=reason
        )
    return taken


async def look_again(connection_id: int, email_hash: str, now: datetime) -> None:
    """Something about this person changed that a waiting step may have waited for: look at it in the next sweep."""
    await (
        Abandonment.filter(connection_id=connection_id, email_hash=email_hash, open_key__isnull=False, due_at__gt=now)
        .exclude(scored_at=None)
        .update(due_at=now)
    )


async def recover(abandonment: Abandonment, order: Order, now: datetime) -> None:
    """An order brought the cart back: its total, less what was refunded, counts as recovered revenue."""
    abandonment.recovered_at = order.placed_at
    abandonment.recovered_order_id = order.id
    abandonment.recovered_revenue = order.total - order.refunded_total
    abandonment.recovered_currency = order.currency
    abandonment.recovered_currency_digits = order.currency_digits
    abandonment.recovery_reversed_at = None
    await abandonment.save(
        update_fields=[
            "recovered_at",
            "recovered_order_id",
            "recovered_revenue",
            "recovered_currency",
            "recovered_currency_digits",
            "recovery_reversed_at",
        ]
    )
    await close(abandonment, "recovered", now)
    await _tell_recovered(abandonment, order)


async def _tell_recovered(abandonment: Abandonment, order: Order) -> None:
    """Publish a recovery, once for each order, however often that is cancelled and revived."""
    if not await webhooks.is_wanted(abandonment.connection_id, "abandonment.recovered"):
        return
    await abandonment.fetch_related("cart", "store")
    told = {
        "abandonment": abandonment.id,
        "store": abandonment.store.code,
        "quote_id": abandonment.cart.quote_id,
        "order_id": order.order_id,
        "arm": abandonment.arm,
        "attribution": order.attribution,
        "revenue": abandonment.recovered_revenue,
        "currency": abandonment.recovered_currency,
        "currency_digits": abandonment.recovered_currency_digits,
    }
    key = f"recovered:{abandonment.id}:{order.id}"
    fact = webhooks.Fact("abandonment.recovered", key, order.placed_at, abandonment.email_hash, told)
    await webhooks.publish(abandonment.connection_id, fact)
