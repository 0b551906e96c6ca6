"""Everything the core holds about a person, for the person to read."""

from collections.abc import Sequence
from typing import Any

from recovery.models import (
    Abandonment,
    Cart,
    CartItem,
    CartSwap,
    ConsentRecord,
    Coupon,
    CouponDecision,
    Decision,
    Email,
    EmailEvent,
    HookDelivery,
    LinkToken,
    Notice,
    Order,
    Suppression,
    WebhookMessage,
)

#: How rows are worked on, which tells nothing of anybody.
_MACHINERY = frozenset(
    {"claimed_by", "lease_until", "fence", "claims", "open_key", "terminal_key", "body_sha256", "fingerprint"}
)


async def export(connection_id: int, email_hash: str, address: str) -> dict[str, list[dict[str, Any]]]:
    """Every row about the person at one connection, by table; tables without one are left out."""
    mine = {"connection_id": connection_id, "email_hash": email_hash}
    carts = await _ids(Cart.filter(**mine))
    episodes = sorted({*await _ids(Abandonment.filter(**mine)), *await _ids(Abandonment.filter(cart_id__in=carts))})
    quotes = [row[0] for row in await Cart.filter(id__in=carts).values_list("quote_id")]
    queries: dict[str, Any] = {
        "cart": Cart.filter(id__in=carts),
        "cart_item": CartItem.filter(cart_id__in=carts),
        "cart_swap": CartSwap.filter(cart_id__in=carts),
        "order": Order.filter(id__in=await _order_ids(connection_id, email_hash, quotes)),
        "abandonment": Abandonment.filter(id__in=episodes),
        "decision": Decision.filter(abandonment_id__in=episodes),
        "coupon": Coupon.filter(abandonment_id__in=episodes),
        "coupon_decision": CouponDecision.filter(abandonment_id__in=episodes),
        "email": Email.filter(**mine),
        "email_event": EmailEvent.filter(**mine),
        "link_token": LinkToken.filter(store__connection_id=connection_id, email_hash=email_hash),
        "consent_record": ConsentRecord.filter(**mine),
        "suppression": Suppression.filter(**mine),
        "hook_delivery": HookDelivery.filter(**mine),
        "webhook_message": WebhookMessage.filter(endpoint__connection_id=connection_id, email_hash=email_hash),
    }
    told = {table: [plain(row) for row in await query.values()] for table, query in queries.items()}
    told["notice"] = [plain(row) for row in await _notices(connection_id, address)]
    return {table: rows for table, rows in told.items() if rows}


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without what only the machinery needs and without what is not set."""
    return {name: value for name, value in row.items() if name not in _MACHINERY and value is not None}


async def _ids(query: Any) -> list[int]:
    return [row[0] for row in await query.values_list("id")]


async def _order_ids(connection_id: int, email_hash: str, quotes: Sequence[str]) -> list[int]:
    orders = Order.filter(connection_id=connection_id)
    by_quote = await _ids(orders.filter(quote_id__in=quotes, email_hash=None))
    return [*await _ids(orders.filter(email_hash=email_hash)), *by_quote]


async def _notices(connection_id: int, address: str) -> list[dict[str, Any]]:
    here = Notice.filter(store__connection_id=connection_id)
    found: dict[Any, dict[str, Any]] = {}
    for column in ("to_address__iexact", "reply_to__iexact"):
        found |= {row["id"]: row for row in await here.filter(**{column: address}).values()}
    return list(found.values())
