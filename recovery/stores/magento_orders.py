"""Reads Magento's orders."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from recovery import money
from recovery.stores.base import OrderSeen
from recovery.stores.magento_errors import Cause, MagentoBroken
from recovery.stores.magento_reading import (
    address,
    first_name,
    identifier,
    listed,
    mapped,
    minor,
    moment,
    quantity,
    text,
)
from recovery.stores.snapshots import Customer, Item, OrderSnapshot, OrderState

#: An order that is paid by transfer or on delivery stays ``new`` for days and is an order all the same.
_STATES: dict[str, OrderState] = {
    "new": "paid",
    "processing": "paid",
    "holded": "paid",
    "complete": "completed",
    "closed": "refunded",
    "canceled": "cancelled",
    "pending_payment": "pending",
    "payment_review": "pending",
}
FIELDS = (
    "entity_id,increment_id,quote_id,state,status,store_id,customer_id,customer_email,customer_firstname,"
    "customer_is_guest,coupon_code,grand_total,base_grand_total,total_refunded,order_currency_code,base_currency_code,"
    "created_at,updated_at,billing_address[telephone,postcode],items[item_id,parent_item_id,product_id,sku,name,qty_ordered,price_incl_tax,"
    "row_total_incl_tax,row_total]"
)


def seen(row: dict[str, Any], ours: Callable[[datetime], datetime]) -> OrderSeen:
    """An order; ``ours`` brings a time of the shop's to our clock.

    Raises:
        MagentoBroken: it has no id, time or currency.
    """
    number, placed = identifier(row.get("entity_id")), moment(row.get("created_at"))
    updated = moment(row.get("updated_at")) or placed
    currency = text(row.get("order_currency_code"), 3).upper()
    if number is None or placed is None or updated is None or not money.is_currency(currency):
        raise MagentoBroken(Cause.FAILS, "an order without id, time or currency")
    base = text(row.get("base_currency_code"), 3).upper()
    customer_id, billing = identifier(row.get("customer_id")), mapped(row.get("billing_address"))
    order = OrderSnapshot(
        order_id=number,
        occurred_at=ours(updated),
        # The shop's own clock, so that a wavering measure of its skew puts no newer state before an older one.
        version=int(updated.timestamp()),
        state=_STATES.get(text(row.get("state")), "paid"),
        placed_at=ours(placed),
        currency=currency,
        currency_digits=money.digits_of(currency),
        total=minor(row.get("grand_total"), currency),
        refunded_total=minor(row.get("total_refunded"), currency),
        base_total=minor(row.get("base_grand_total"), base) if money.is_currency(base) else None,
        customer=Customer(
            id=customer_id,
            email=address(row.get("customer_email")),
            registered=customer_id is not None,
            first_name=first_name(row.get("customer_firstname")),
            phone=text(billing.get("telephone"), 64) or None,
            postcode=text(billing.get("postcode"), 64) or None,
        ),
        number=text(row.get("increment_id"), 64) or None,
        quote_id=identifier(row.get("quote_id")),
        items=_items([mapped(item) for item in listed(row.get("items"))], currency),
        coupon_codes=tuple(filter(None, [text(row.get("coupon_code"), 64)])),
    )
    return OrderSeen(text(row.get("store_id"), 64), order)


def _items(rows: list[dict[str, Any]], currency: str) -> tuple[Item, ...]:
    """One item per line of the bill: of a variant, the parent's row has the money and the child's the product."""
    children = {str(row["parent_item_id"]): row for row in rows if row.get("parent_item_id") is not None}
    found = []
    for row in rows:
        if row.get("parent_item_id") is not None:
            continue
        child = children.get(str(row.get("item_id")), row)
        found.append(
            Item(
                product_id=identifier(child.get("product_id")) or "unknown",
                parent_id=None if child is row else identifier(row.get("product_id")),
                name=text(row.get("name")) or text(row.get("sku")) or "?",
                sku=text(row.get("sku"), 64) or None,
                quantity=quantity(row.get("qty_ordered")),
                row_total=minor(row.get("row_total_incl_tax", row.get("row_total")), currency),
            )
        )
    return tuple(found)
