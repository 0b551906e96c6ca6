"""Which pages and blocks of a shop are its policies."""

from datetime import datetime

from tortoise import Model, fields

from recovery.models.store import Store


class ShopPage(Model):
    """A page or block of the shop that a store uses as a policy: the merchant's tick.

    ``kind`` is ``page`` or ``block``, ``external_id`` the shop's own number, ``used_as`` a kind of policy.
    ``missing_since`` is set while the shop does not show it any more.
    """

    id = fields.BigIntField(primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.CASCADE)
    store_id: int
    kind = fields.CharField(8)
    external_id = fields.CharField(64)
    identifier = fields.CharField(255)
    title = fields.CharField(255)
    used_as = fields.CharField(16)
    read_at = fields.DatetimeField()
    missing_since: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "shop_page"
        unique_together = (("store_id", "kind", "external_id"),)
