"""What became of a cart since its customer was told: an order, a coupon, other lines; each is told once, durably.

What was told last are the conversation's last ``state`` and ``cart``: at first neither order nor coupon, and event 0.
"""

import uuid
from datetime import datetime
from typing import Any

import orjson

from chatbot import events
from chatbot.conversations import GONE_CARTS, Event, append, hold
from chatbot.models import Conversation
from chatbot.wire_cart import wire_lines, wire_money
from recovery import coupons, db
from recovery.models import Cart, LinkToken
from recovery.swaps import OPEN_CARTS, read_shown

#: Of the cart ``k``: another text whenever one of the rows behind its news has been written, or a coupon has ended by
#: $2. PostgreSQL's ``xmin`` tells one write from the next, also where a row is as it was before.
MARK = """
    concat_ws('|', k.xmin,
        (SELECT string_agg(concat(o.xmin, o.expires_at > $2), ',' ORDER BY o.created_at)
         FROM coupon o WHERE o.cart_id = k.id),
        (SELECT string_agg(p.xmin::text, ',' ORDER BY p.id)
         FROM product p WHERE p.store_id = k.store_id AND p.product_id IN (
             SELECT i.product_id FROM cart_item i WHERE i.cart_id = k.id
             UNION SELECT s.taken_id FROM cart_swap s WHERE s.cart_id = k.id)))
"""


async def tell_news(conversation: uuid.UUID, now: datetime) -> list[Event]:
    """Write down what is new; nothing when that was done before, by whichever node."""
    if not await _news(conversation, now):
        return []
    async with db.in_transaction() as connection:
        await hold(connection, conversation)
        # Its lines and its sum are to be of one moment.
        await connection.execute_query(
            "SELECT 1 FROM cart WHERE id = (SELECT cart_id FROM conversation WHERE id = $1) FOR SHARE", [conversation]
        )
        return await append(connection, conversation, await _news(conversation, now), now)


async def own_coupon(cart: Cart, person: str, now: datetime) -> dict[str, Any] | None:
    """The coupon that works for this cart and this person, as the page has it; none for an order."""
    found = await coupons.of_cart(cart.id, now, person) if cart.status in OPEN_CARTS else None
    return events.coupon(found.code, found.percent, found.expires_at.isoformat()) if found is not None else None


async def _news(conversation: uuid.UUID, now: datetime) -> list[dict[str, Any]]:
    row = await Conversation.get_or_none(id=conversation, status="open").select_related("store", "cart")
    if row is None or row.cart.status in GONE_CARTS:
        return []
    told, cart = await _told(conversation), row.cart
    link = await LinkToken.get_or_none(jti=row.link_jti).only("jti", "email_hash")
    coupon = await own_coupon(cart, link.email_hash, now) if link is not None else None
    fresh = []
    last = told.get("state", {})
    if (cart.status == "ordered", coupon) != (last.get("ordered", False), last.get("coupon")):
        fresh.append(events.state(cart.status == "ordered", coupon))
    if cart.status in OPEN_CARTS:
        shown = await read_shown(cart)
        lines, total = wire_lines(cart, row.store, shown), wire_money(cart, row.store, shown.total)
        before = told.get("cart")
        if before is None or (before["lines"], before["total"]) != (lines, total):
            fresh.append(events.cart(lines, total))
    return fresh


async def _told(conversation: uuid.UUID) -> dict[str, dict[str, Any]]:
    """The last of each kind that the customer was told."""
    rows = await db.client().execute_query_dict(
        """
        SELECT DISTINCT ON (payload ->> 't') payload ->> 't' AS kind, payload FROM conversation_event
        WHERE conversation_id = $1 AND payload ->> 't' IN ('state', 'cart') ORDER BY payload ->> 't', seq DESC
        """,
        [conversation],
    )
    return {row["kind"]: orjson.loads(row["payload"]) for row in rows}
