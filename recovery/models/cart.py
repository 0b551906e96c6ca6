"""A cart as the store last told it, and its lines."""

from datetime import datetime
from typing import Any

from tortoise import Model, fields

from recovery.models.store import Connection, Store


class Cart(Model):
    """The newest snapshot of one cart.

    Money is in minor units of ``currency`` with ``currency_digits`` decimals. ``activity_at`` is when the cart
    last really changed (its fingerprint, not a mere repetition). ``status`` is ``active``, ``inactive``,
    ``ordered``, ``merged`` or ``deleted``. ``email_hash`` is the keyed hash that names the person.
    """

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.RESTRICT
    )
    connection_id: int
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.RESTRICT)
    store_id: int
    quote_id = fields.CharField(64)
    version = fields.BigIntField(null=True)
    occurred_at = fields.DatetimeField()
    received_at = fields.DatetimeField()
    activity_at = fields.DatetimeField()
    created_at = fields.DatetimeField()
    status = fields.CharField(16, default="active")
    merged_into = fields.CharField(64, null=True)
    fingerprint = fields.CharField(64)

    email = fields.CharField(254, null=True)
    email_hash = fields.CharField(64, null=True)
    customer_id = fields.CharField(64, null=True)
    registered = fields.BooleanField(default=False)
    first_name = fields.CharField(64, null=True)
    customer_group = fields.CharField(64, null=True)
    orders_count = fields.IntField(null=True)
    phone_hash = fields.CharField(64, null=True)
    postcode_hash = fields.CharField(64, null=True)
    is_bot = fields.BooleanField(default=False)

    currency = fields.CharField(3)
    currency_digits = fields.SmallIntField()
    total = fields.BigIntField()
    subtotal = fields.BigIntField(null=True)
    discount = fields.BigIntField(null=True)
    shipping = fields.BigIntField(null=True)
    tax = fields.BigIntField(null=True)
    base_total = fields.BigIntField(null=True)
    coupon_codes: list[str] = fields.JSONField(default=list)
    checkout_stage = fields.CharField(16, default="cart")
    payment_failed = fields.BooleanField(default=False)
    intent_trace: dict[str, Any] | None = fields.JSONField(null=True)

    locale = fields.CharField(35, null=True)
    cart_url = fields.CharField(2048, null=True)
    restore_url = fields.CharField(2048, null=True)
    restored_at: datetime | None = fields.DatetimeField(null=True)

    items: fields.ReverseRelation["CartItem"]

    class Meta:
        table = "cart"
        unique_together = (("connection_id", "quote_id"),)
        indexes = (("connection_id", "email_hash"),)


class CartItem(Model):
    """One line of a cart; ``quantity`` is in 1/10,000 and ``row_total`` is what the shopper pays for the line."""

    id = fields.BigIntField(primary_key=True)
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField(
        "models.Cart", related_name="items", on_delete=fields.CASCADE
    )
    cart_id: int
    position = fields.SmallIntField()
    line_id = fields.CharField(64, null=True)
    product_id = fields.CharField(64)
    parent_id = fields.CharField(64, null=True)
    sku = fields.CharField(64, null=True)
    name = fields.CharField(255)
    quantity = fields.BigIntField()
    row_total = fields.BigIntField()
    row_total_before_discount = fields.BigIntField(null=True)
    unit_price = fields.BigIntField(null=True)
    options: list[dict[str, str]] = fields.JSONField(default=list)
    url = fields.CharField(2048, null=True)
    image_url = fields.CharField(2048, null=True)

    class Meta:
        table = "cart_item"
        unique_together = (("cart_id", "position"),)


class CartSwap(Model):
    """The customer put ``taken_id`` in place of the line of ``product_id``; null: the line is as the shop told it.

    The last row of a line counts, and only while the shop's line is as it was (``quantity``, 1/10,000). ``client_id``
    is the customer's own id of the wish, so that sending it twice does it once.
    """

    id = fields.BigIntField(primary_key=True)
    cart: fields.ForeignKeyRelation[Cart] = fields.ForeignKeyField(
        "models.Cart", related_name="swaps", on_delete=fields.CASCADE
    )
    cart_id: int
    client_id = fields.UUIDField()
    product_id = fields.CharField(64)
    quantity = fields.BigIntField()
    taken_id = fields.CharField(64, null=True)
    at = fields.DatetimeField()

    class Meta:
        table = "cart_swap"
        unique_together = (("cart_id", "client_id"),)
