"""An order as the store last told it."""

from typing import Any

from tortoise import Model, fields

from recovery.models.store import Connection, Store


class Order(Model):
    """The newest snapshot of one order; ``state`` is ``pending|paid|completed|cancelled|refunded``.

    ``items`` keeps product id, quantity (1/10,000) and row total of each line, ``items_key`` which products they are.
    Money in minor units. ``attribution`` is what of ours brought it: ``ref``, ``coupon``, ``inferred`` or ``none``;
    null when nobody has looked.
    """

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.RESTRICT
    )
    connection_id: int
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.RESTRICT)
    store_id: int
    order_id = fields.CharField(64)
    number = fields.CharField(64, null=True)
    version = fields.BigIntField(null=True)
    occurred_at = fields.DatetimeField()
    received_at = fields.DatetimeField()
    quote_id = fields.CharField(64, null=True)
    state = fields.CharField(16)
    placed_at = fields.DatetimeField()
    cancelled_at = fields.DatetimeField(null=True)
    currency = fields.CharField(3)
    currency_digits = fields.SmallIntField()
    total = fields.BigIntField()
    refunded_total = fields.BigIntField(default=0)
    base_total = fields.BigIntField(null=True)
    email_hash = fields.CharField(64, null=True)
    customer_id = fields.CharField(64, null=True)
    registered = fields.BooleanField(default=False)
    phone_hash = fields.CharField(64, null=True)
    postcode_hash = fields.CharField(64, null=True)
    items: list[dict[str, Any]] | None = fields.JSONField(null=True)
    items_key = fields.CharField(32, null=True)
    coupon_codes: list[str] = fields.JSONField(default=list)
    ref = fields.CharField(32, null=True)
    attribution = fields.CharField(16, null=True)

    class Meta:
        table = "order"
        unique_together = (("connection_id", "order_id"),)
        indexes = (
            ("connection_id", "quote_id"),
            ("connection_id", "email_hash"),
            ("connection_id", "phone_hash"),
            ("connection_id", "postcode_hash"),
            ("connection_id", "items_key"),
        )
