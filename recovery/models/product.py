"""What a store sells, per shop front and language, and what goes with what."""

from typing import Any

from tortoise import Model, fields

from recovery.models.store import Store


class Product(Model):
    """One product or variant (then ``parent_id`` is set); texts are plain, money in minor units, tax included or not
    as ``tax_included`` says; ``stock_quantity``, ``min_quantity`` and ``quantity_step`` are in 1/10,000."""

    id = fields.BigIntField(primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.CASCADE)
    store_id: int
    product_id = fields.CharField(64)
    parent_id = fields.CharField(64, null=True)
    version = fields.BigIntField(null=True)
    occurred_at = fields.DatetimeField()
    sku = fields.CharField(64, null=True)
    active = fields.BooleanField(default=True)
    name = fields.CharField(255)
    description = fields.TextField(default="")
    short_description = fields.TextField(default="")
    attributes: list[dict[str, Any]] = fields.JSONField(default=list)
    categories: list[str] = fields.JSONField(default=list)
    brand = fields.CharField(255, null=True)
    price = fields.BigIntField()
    regular_price = fields.BigIntField(null=True)
    lowest_price_30d = fields.BigIntField(null=True)
    currency = fields.CharField(3)
    currency_digits = fields.SmallIntField()
    tax_included = fields.BooleanField(default=True)
    in_stock = fields.BooleanField()
    stock_quantity = fields.BigIntField(null=True)
    min_quantity = fields.BigIntField(null=True)
    quantity_step = fields.BigIntField(null=True)
    sold_by = fields.CharField(16, default="piece")
    url = fields.CharField(2048, null=True)
    image_url = fields.CharField(2048, null=True)
    locale = fields.CharField(35, null=True)

    class Meta:
        table = "product"
        unique_together = (("store_id", "product_id"),)
        indexes = (("store_id", "parent_id"),)


class ProductLink(Model):
    """Product ``product_id`` offers ``linked_id``; ``kind`` is ``related``, ``upsell`` or ``crosssell``, best first."""

    id = fields.BigIntField(primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.CASCADE)
    store_id: int
    product_id = fields.CharField(64)
    kind = fields.CharField(16)
    linked_id = fields.CharField(64)
    position = fields.SmallIntField()

    class Meta:
        table = "product_link"
        unique_together = (("store_id", "product_id", "kind", "linked_id"),)
