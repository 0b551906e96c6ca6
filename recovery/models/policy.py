"""What a store promises: delivery, returns, payment, size guides, questions and answers."""

from typing import Any

from tortoise import Model, fields

from recovery.models.store import Store


class Policy(Model):
    """One text of the store's own, removed where ``text`` is empty.

    ``facts`` are the only numbers about policies that may be stated by themselves.
    """

    id = fields.BigIntField(primary_key=True)
    store: fields.ForeignKeyRelation[Store] = fields.ForeignKeyField("models.Store", on_delete=fields.CASCADE)
    store_id: int
    key = fields.CharField(64)
    kind = fields.CharField(16)
    locale = fields.CharField(35)
    title = fields.CharField(255)
    text = fields.TextField()
    url = fields.CharField(2048, null=True)
    facts: list[dict[str, Any]] = fields.JSONField(default=list)
    version = fields.BigIntField(null=True)
    occurred_at = fields.DatetimeField()

    class Meta:
        table = "policy"
        unique_together = (("store_id", "key", "locale"),)
