"""The money of coupons: what is reserved, issued, redeemed and released per store and calendar month.

The worst case counts: the coupon's percent of the cart's value. A reservation and the check against the budget are one
statement, so that issuers at once can't exceed it.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from recovery import db
from recovery.money import digits_of
from recovery.stores.registry import StoreInForce

Column = Literal["reserved", "issued", "redeemed", "released"]

_RESERVE = """
INSERT INTO coupon_budget AS b (key, store_id, month, currency, cap, reserved, issued, redeemed, released, changed_at)
SELECT $1, $2::int, $3, $4, $5::bigint, $6::bigint, 0, 0, 0, $7::timestamptz WHERE $5::bigint IS NULL OR $6 <= $5
ON CONFLICT (key) DO UPDATE SET reserved = b.reserved + $6, cap = $5, changed_at = $7
 WHERE $5::bigint IS NULL OR b.reserved + b.issued + b.redeemed + $6 <= $5
RETURNING key
"""
_MOVE = "UPDATE coupon_budget SET {0} = {0} - $2, {1} = {1} + $2, changed_at = $3 WHERE key = $1"


@dataclass(frozen=True)
class Month:
    """The budget of one store in one month: its key, the month as ``2026-11``, its currency and its cap."""

    key: str
    store_id: int
    month: str
    currency: str
    cap: int | None


def month_of(store: StoreInForce, now: datetime) -> Month:
    """The calendar month that ``now`` is in at the store."""
    month = f"{now.astimezone(store.zone):%Y-%m}"
    budget, currency = store.settings.coupon_monthly_budget, store.row.currency
    cap = None if budget is None else int(Decimal(str(budget)).scaleb(digits_of(currency)))
    return Month(f"{store.row.id}:{month}:{currency}", store.row.id, month, currency, cap)


async def reserve(month: Month, amount: int, now: datetime) -> bool:
    """Hold ``amount`` of a month's budget, if there is as much left."""
    values = [month.key, month.store_id, month.month, month.currency, month.cap, amount, now]
    return bool(await db.client().execute_query_dict(_RESERVE, values))


async def move(key: str, amount: int, source: Column, target: Column, now: datetime) -> None:
    """Let ``amount`` count as something else from now on; call in the transaction that changes its coupon."""
    await db.client().execute_query(_MOVE.format(source, target), [key, amount, now])
