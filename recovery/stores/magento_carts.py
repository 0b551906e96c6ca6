"""Reads Magento's carts: who, what, how far, and, with their totals, for how much.

Money comes from the totals only: ``items[].price`` is in base currency, whatever currency the cart is shown in.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from recovery import money
from recovery.stores.base import CartSeen, ProductRef, ShopFront
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
from recovery.stores.magento_stores import cart_url
from recovery.stores.snapshots import CartSnapshot, CheckoutStage, Customer, Item

Ours = Callable[[datetime], datetime]


def seen(row: dict[str, Any], ours: Ours) -> CartSeen:
    """A cart as a list shows it; ``ours`` brings a time of the shop's to our clock.

    Raises:
        MagentoBroken: it has no id or no time.
    """
    quote_id, created = identifier(row.get("id")), moment(row.get("created_at"))
    if quote_id is None or created is None:
        raise MagentoBroken(Cause.FAILS, "a cart without id or time")
    # Absent in exactly that answer whose making saved the cart: then it is now, and none of the shopper's doing.
    changed = moment(row.get("updated_at"))
    items = [mapped(item) for item in listed(row.get("items"))]
    newsletter = mapped(mapped(row.get("customer")).get("extension_attributes")).get("is_subscribed")
    acts = [_acts(row, items), email_of(row), row.get("store_id"), row.get("is_active")]
    content = [acts, row.get("updated_at"), [item.get("price") for item in items], newsletter, row.get("items_count")]
    return CartSeen(
        quote_id=quote_id,
        store_id=text(row.get("store_id"), 64),
        active=row.get("is_active") is True,
        email=email_of(row),
        items=len(items),
        acts=_digest(acts),
        content=_digest(content),
        changed_at=ours(changed) if changed else None,
        created_at=ours(created),
        row=row,
        newsletter=newsletter if isinstance(newsletter, bool) and email_of(row) else None,
        skus=tuple(text(item.get("sku"), 64) for item in items),
    )


def _acts(row: dict[str, Any], items: list[dict[str, Any]]) -> list[Any]:
    """What only the shopper changes: rows, addresses, shipping. ``updated_at`` also moves by rules and by our reads."""
    shipping = _shipping(row)
    places = [
        [told.get(name) for name in ("street", "postcode", "city", "country_id", "telephone", "firstname", "lastname")]
        for told in (mapped(row.get("billing_address")), mapped(shipping.get("address")))
    ]
    return [
        sorted([str(item.get("item_id")), str(item.get("sku")), str(item.get("qty"))] for item in items),
        places,
        shipping.get("method"),
        row.get("reserved_order_id"),
        mapped(row.get("customer")).get("id"),
    ]


def _digest(parts: Any) -> str:
    return hashlib.sha256(orjson.dumps(parts)).hexdigest()


def email_of(row: dict[str, Any]) -> str | None:
    """The shopper's address, wherever it is; None for a cart whose customer was deleted."""
    customer = mapped(row.get("customer"))
    if customer.get("id") is not None:
        return address(customer.get("email"))
    if row.get("customer_is_guest") is False:
        return None
    billing, shipping = mapped(row.get("billing_address")), mapped(_shipping(row).get("address"))
    return address(billing.get("email")) or address(shipping.get("email"))


def may_have_payment(row: dict[str, Any]) -> bool:
    """Whether the payment step can have been reached, so that asking for the method makes sense."""
    return email_of(row) is not None and (bool(_shipping(row).get("method")) or row.get("is_virtual") is True)


def stage(row: dict[str, Any], payment: Any) -> CheckoutStage:
    """How far the shopper came. Customers' addresses are filled in by Magento and tell nothing."""
    shipping = _shipping(row)
    registered = mapped(row.get("customer")).get("id") is not None
    street = [part for part in listed(mapped(shipping.get("address")).get("street")) if part]
    if row.get("reserved_order_id") and row.get("is_active") is True:
        return "review"
    if mapped(payment).get("method"):
        return "payment"
    if shipping.get("method") or (street and not registered):
        return "shipping"
    return "contact" if email_of(row) else "cart"


def snapshot(
    found: CartSeen, totals: Any, payment: Any, front: ShopFront, products: dict[str, ProductRef], asked_at: datetime
) -> CartSnapshot:
    """The whole cart, as it was when it was asked for.

    Raises:
        MagentoBroken: the totals are not those of this cart.
    """
    row, told = found.row, mapped(totals)
    currency = text(mapped(row.get("currency")).get("quote_currency_code"), 3).upper()
    if not money.is_currency(currency) or text(told.get("quote_currency_code"), 3).upper() != currency:
        # The shopper switched the store view between the two answers; the next reading has both of one.
        raise MagentoBroken(Cause.FAILS, "cart and totals are in different currencies")
    sums = {str(mapped(item).get("item_id")): mapped(item) for item in listed(told.get("items"))}
    rows = [mapped(item) for item in listed(row.get("items"))]
    items = tuple(_item(item, sums[i], currency, products) for item in rows if (i := str(item.get("item_id"))) in sums)
    subtotal = sum(item.row_total_before_discount or item.row_total for item in items)
    # Rows of disabled and deleted products are hidden but still counted: such a cart is worth what it shows.
    whole = len(items) == row.get("items_count")
    shown = sum(item.row_total for item in items) + minor(told.get("shipping_incl_tax"), currency)
    discount = -minor(told.get("discount_amount"), currency)
    return CartSnapshot(
        quote_id=found.quote_id,
        occurred_at=asked_at,
        currency=currency,
        currency_digits=money.digits_of(currency),
        items=items,
        total=minor(told.get("grand_total"), currency) if whole else shown,
        created_at=found.created_at,
        activity_at=found.changed_at,
        active=found.active,
        locale=front.locale,
        subtotal=subtotal,
        discount=discount if whole else sum((i.row_total_before_discount or 0) - i.row_total for i in items),
        shipping=minor(told.get("shipping_incl_tax"), currency) if _shipping(row).get("method") else None,
        tax=minor(told.get("tax_amount"), currency) if whole else None,
        base_total=minor(told.get("base_grand_total"), front.base_currency) if whole else None,
        coupon_codes=tuple(filter(None, [text(told.get("coupon_code"), 64)])),
        checkout_stage=stage(row, payment),
        customer=_customer(row),
        cart_url=cart_url(front),
    )


def _customer(row: dict[str, Any]) -> Customer:
    customer, billing = mapped(row.get("customer")), mapped(row.get("billing_address"))
    delivery = mapped(_shipping(row).get("address"))
    number = identifier(customer.get("id"))
    return Customer(
        id=number,
        email=email_of(row),
        registered=number is not None,
        first_name=first_name(customer.get("firstname") or billing.get("firstname")),
        group=identifier(customer.get("group_id")),
        phone=text(billing.get("telephone") or delivery.get("telephone"), 64) or None,
        postcode=text(billing.get("postcode") or delivery.get("postcode"), 64) or None,
    )


def _item(item: dict[str, Any], sums: dict[str, Any], currency: str, products: dict[str, ProductRef]) -> Item:
    sku = text(item.get("sku"), 64)
    ref = products.get(sku.lower()) or ProductRef(f"sku:{sku}"[:64])
    before = minor(sums.get("row_total_incl_tax"), currency)
    return Item(
        product_id=ref.product_id,
        name=text(item.get("name")) or sku,
        quantity=quantity(item.get("qty")),
        row_total=max(0, before - minor(sums.get("discount_amount"), currency)),
        line_id=identifier(item.get("item_id")),
        parent_id=ref.parent_id,
        sku=sku or None,
        row_total_before_discount=before,
        unit_price=minor(sums.get("price_incl_tax"), currency),
        options=_options(sums.get("options")),
        url=ref.url,
        image_url=ref.image_url,
    )


def _options(told: Any) -> tuple[tuple[str, str], ...]:
    """The chosen options, which come as JSON inside JSON, labels and values perhaps with markup."""
    try:
        parsed = orjson.loads(told) if isinstance(told, str) else []
    except ValueError:
        return ()
    pairs = [(text(mapped(one).get("label")), text(mapped(one).get("value"))) for one in listed(parsed)]
    return tuple((label, value) for label, value in pairs if label and value and "<" not in value)[:50]


def _shipping(row: dict[str, Any]) -> dict[str, Any]:
    assignments = listed(mapped(row.get("extension_attributes")).get("shipping_assignments"))
    return mapped(mapped(assignments[0]).get("shipping")) if assignments else {}
