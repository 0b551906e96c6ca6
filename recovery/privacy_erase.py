"""Forgetting: everything that tells who somebody was goes, what counts (money, times, outcomes) stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from recovery import db, episodes
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
    SyncCart,
    WebhookMessage,
)
from recovery.persons import lock_persons
from recovery.secrets import Keys

NOBODY = "erased"
_NO_CUSTOMER: dict[str, Any] = {
    "email": None, "email_hash": None, "customer_id": None, "registered": False, "first_name": None,
    "customer_group": None, "orders_count": None, "phone_hash": None, "postcode_hash": None, "intent_trace": None,
    "locale": None, "cart_url": None, "restore_url": None, "coupon_codes": [], "merged_into": None, "fingerprint": "",
}  # fmt: skip
_NO_MAIL: dict[str, Any] = {
    "to_address": None, "email_hash": NOBODY, "subject": None, "words": None, "smtp_text": None,
}  # fmt: skip
_NO_NOTICE: dict[str, Any] = {"to_address": None, "reply_to": None, "words": None, "smtp_text": None}
# Hooks that came before the shop knew the address tell of the cart all the same.
_HOOKS_OF_CARTS = """
SELECT id, webhook_id FROM hook_delivery
 WHERE connection_id = $1 AND body IS NOT NULL
   AND CASE WHEN body IS JSON THEN body::json #>> '{data,quote_id}' END = ANY($2)
"""


async def erase_person(connection_id: int, keys: Keys, email_hash: str, address: str, now: datetime) -> dict[str, int]:
    """Forget one person at one connection inside the caller's transaction; how many rows of each kind that touched.

    A suppression by hash stays, so that nobody who asked for this is written to again. Orders keep money and times.
    """
    await lock_persons(connection_id, [email_hash])
    carts, orders = await _lock_theirs(connection_id, email_hash)
    mine = Abandonment.filter(connection_id=connection_id)
    found = {row.id: row for row in await mine.filter(email_hash=email_hash).select_for_update()}
    found |= {row.id: row for row in await mine.filter(cart_id__in=[cart.id for cart in carts]).select_for_update()}
    for row in found.values():
        if row.status in episodes.OPEN:
            await episodes.close(row, "erased", now)
    counts = {"carts": len(carts), "orders": len(orders), "abandonments": len(found)}
    counts["hooks"] = await _forget_hooks(connection_id, keys, email_hash, [cart.quote_id for cart in carts])
    counts["notices"] = await _forget_notices(email_hash, address, connection_id, now)
    counts["links"] = await LinkToken.filter(store__connection_id=connection_id, email_hash=email_hash).delete()
    counts["mails"] = await forget_episodes(list(found))
    counts["mails"] += await Email.filter(connection_id=connection_id, email_hash=email_hash).update(**_NO_MAIL)
    counts["mail events"] = await EmailEvent.filter(connection_id=connection_id, email_hash=email_hash).update(
        email_hash=None, reason=None
    )
    told = WebhookMessage.filter(endpoint__connection_id=connection_id, email_hash=email_hash)
    counts["webhooks"] = await WebhookMessage.filter(id__in=[row.id for row in await told.only("id")]).delete()
    await Coupon.filter(connection_id=connection_id, email_hash=email_hash).update(email_hash=NOBODY, last_error=None)
    for order in orders:
        await _forget_order(order, keys)
    await forget_carts(carts, keys, now)
    counts["consents"] = await ConsentRecord.filter(connection_id=connection_id, email_hash=email_hash).delete()
    await _keep_only_the_hash(connection_id, email_hash, now)
    return {kind: number for kind, number in counts.items() if number}


async def forget_carts(carts: Sequence[Cart], keys: Keys, now: datetime) -> None:
    """Forget whose these locked carts were and what was in them; a mark stays, so that old news does not return."""
    ids = [cart.id for cart in carts]
    await CartItem.filter(cart_id__in=ids).delete()
    await CartSwap.filter(cart_id__in=ids).delete()
    await LinkToken.filter(cart_id__in=ids).delete()
    for cart in carts:
        await SyncCart.filter(connection_id=cart.connection_id, quote_id=cart.quote_id).delete()
        mark = keys.pseudonym("quote", cart.quote_id)
        if await Cart.exists(connection_id=cart.connection_id, quote_id=mark):
            mark = f"{mark}:{cart.id}"
        status = cart.status if cart.status == "ordered" else "deleted"
        await Cart.filter(id=cart.id).update(**_NO_CUSTOMER, quote_id=mark, status=status, received_at=now)


async def forget_episodes(abandonment_ids: Sequence[int]) -> int:
    """Forget whose these episodes were and what their mails said; how many mails."""
    await Abandonment.filter(id__in=abandonment_ids).update(email_hash=None, fingerprint="")
    await Decision.filter(abandonment_id__in=abandonment_ids).update(checks=[])
    await CouponDecision.filter(abandonment_id__in=abandonment_ids).update(checks=[], values={})
    await Coupon.filter(abandonment_id__in=abandonment_ids).update(email_hash=NOBODY, last_error=None)
    mails = Email.filter(abandonment_id__in=abandonment_ids)
    await mails.filter(copy_status="pending").update(copy_status=None)
    await EmailEvent.filter(email__abandonment_id__in=abandonment_ids).update(email_hash=None, reason=None)
    return await mails.update(**_NO_MAIL)


async def forget_notices(keys_begin: str, now: datetime) -> int:
    """Forget the notices whose key begins so, and send none of them; how many."""
    return await _forget(Notice.filter(key__startswith=keys_begin), now)


async def _lock_theirs(connection_id: int, email_hash: str) -> tuple[list[Cart], list[Order]]:
    """Their carts, those of their customer account without an address, and all orders of these; locked."""
    carts = Cart.filter(connection_id=connection_id)
    accounts = {row.customer_id for row in await carts.filter(email_hash=email_hash) if row.customer_id}
    orders = Order.filter(connection_id=connection_id)
    accounts |= {row.customer_id for row in await orders.filter(email_hash=email_hash) if row.customer_id}
    known = [*await carts.filter(email_hash=email_hash), *await carts.filter(email_hash=None, customer_id__in=accounts)]
    quotes = {row.quote_id for row in known}
    theirs = [
        *await orders.filter(email_hash=email_hash),
        *await orders.filter(email_hash=None, customer_id__in=accounts),
        *await orders.filter(email_hash=None, quote_id__in=quotes),
    ]
    for order_id in sorted({row.order_id for row in theirs}):
        await db.lock(connection_id, f"order {order_id}")
    for quote_id in sorted(quotes):
        await db.lock(connection_id, f"quote {quote_id}")
    ids = {row.id for row in theirs}
    return (
        await carts.filter(id__in=[row.id for row in known]).order_by("id").select_for_update(),
        await orders.filter(id__in=ids).order_by("id").select_for_update(),
    )


async def _forget_order(order: Order, keys: Keys) -> None:
    mark = keys.pseudonym("order", order.order_id)
    if await Order.exists(connection_id=order.connection_id, order_id=mark):
        mark = f"{mark}:{order.id}"
    await Order.filter(id=order.id).update(
        order_id=mark, number=None, quote_id=None, email_hash=None, customer_id=None, registered=False,
        phone_hash=None, postcode_hash=None, items=None, items_key=None, coupon_codes=[], ref=None,
    )  # fmt: skip


async def _forget_hooks(connection_id: int, keys: Keys, email_hash: str, quotes: Sequence[str]) -> int:
    rows = await HookDelivery.filter(connection_id=connection_id, email_hash=email_hash).values("id", "webhook_id")
    rows += await db.client().execute_query_dict(_HOOKS_OF_CARTS, [connection_id, list(quotes)])
    found = {row["id"]: row["webhook_id"] for row in rows}
    for number, webhook_id in found.items():
        # The shop chose the id, and may have made it of anything.
        await HookDelivery.filter(id=number).update(
            webhook_id=keys.pseudonym("hook", webhook_id), body=None, email_hash=None, warnings=[]
        )
    return len(found)


async def _forget_notices(email_hash: str, address: str, connection_id: int, now: datetime) -> int:
    links = await LinkToken.filter(store__connection_id=connection_id, email_hash=email_hash).values_list("jti")
    here = Notice.filter(store__connection_id=connection_id)
    count = await _forget(here.filter(link_jti__in=[row[0] for row in links]), now)
    for column in ("to_address__iexact", "reply_to__iexact"):
        count += await _forget(here.filter(**{column: address}), now)
    return count


async def _forget(notices: Any, now: datetime) -> int:
    rows = await notices
    for row in rows:
        await Notice.filter(id=row.id, status__in=("pending", "claimed")).update(
            status="cancelled", fence=row.fence + 1, closed_at=now, closed_reason="erased", lease_until=None
        )
        await Notice.filter(id=row.id).update(**_NO_NOTICE)
    return len(rows)


async def _keep_only_the_hash(connection_id: int, email_hash: str, now: datetime) -> None:
    """The suppressions, and the row that locks a person: whoever waits for it must find it."""
    mine = Suppression.filter(connection_id=connection_id, email_hash=email_hash)
    await mine.exclude(lifted_at=None).delete()
    await mine.filter(cause="erased").delete()
    await mine.update(detail=None)
    await Suppression.create(connection_id=connection_id, email_hash=email_hash, cause="erased", at=now)
