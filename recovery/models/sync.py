"""How far the reading of a shop has come, so that it goes on there after any end."""

from typing import Any

from tortoise import Model, fields

from recovery.models.store import Connection


class SyncState(Model):
    """The cursors of one connection; ``lease_until`` is on the database's clock, every other time is business time.

    ``carts_read_at`` is when the last complete reading of all active carts began: until then nobody's silence is
    known. A list that is being read has its ``…_started`` and the last id in ``…_after``. ``wrong_rules`` are the price
    rules of ours that were found changed: by website and percent the id, the name and what is wrong with each.
    ``pages`` says when the shop's pages in use were read.
    """

    id = fields.IntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    holder = fields.CharField(64, null=True)
    lease_until = fields.DatetimeField(null=True)
    due_at = fields.DatetimeField(null=True)
    failures = fields.IntField(default=0)
    error: str | None = fields.TextField(null=True)
    orders_since = fields.DatetimeField(null=True)
    orders_started = fields.DatetimeField(null=True)
    orders_after = fields.BigIntField(default=0)
    carts_read_at = fields.DatetimeField(null=True)
    carts_started = fields.DatetimeField(null=True)
    carts_after = fields.BigIntField(default=0)
    carts_round = fields.IntField(default=0)
    unreadable: list[int] = fields.JSONField(default=list)
    catalogue: dict[str, Any] = fields.JSONField(default=dict)
    progress: dict[str, Any] = fields.JSONField(default=dict)
    wrong_rules: dict[str, list[list[str]]] | None = fields.JSONField(null=True)
    pages: dict[str, str] | None = fields.JSONField(null=True)

    class Meta:
        table = "sync_state"
        unique_together = (("connection_id",),)


class SyncCart(Model):
    """An active cart as the list last showed it: what the shopper did, what it said, and when that last changed.

    ``taken`` is set once it is a cart of ours; carts without an address are only remembered here, by digests.
    """

    id = fields.BigIntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", on_delete=fields.CASCADE
    )
    connection_id: int
    quote_id = fields.CharField(64)
    acts = fields.CharField(64)
    content = fields.CharField(64)
    changed_at = fields.DatetimeField()
    round = fields.IntField()
    taken = fields.BooleanField(default=False)
    failures = fields.IntField(default=0)
    retry_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sync_cart"
        unique_together = (("connection_id", "quote_id"),)
        indexes = (("connection_id", "round"),)
