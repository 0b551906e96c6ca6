"""A connection is one shop installation; a store is one shop front of it."""

from typing import Any

from tortoise import Model, fields


class Connection(Model):
    """One shop installation: where it is, how its hooks are signed, which hosts its links may name.

    ``hook_secret`` and ``previous_hook_secret`` are encrypted; the previous one is accepted until
    ``previous_hook_secret_until`` so that a shop can change secrets without losing a hook. ``credentials``, encrypted
    too, are what a connector reads the shop with; ``allow_private`` lets it do so in a private network.
    """

    id = fields.IntField(primary_key=True)
    key = fields.CharField(64, unique=True)
    platform = fields.CharField(16, default="generic")
    name = fields.CharField(255)
    base_url = fields.CharField(1024)
    hosts: list[str] = fields.JSONField(default=list)
    hook_secret = fields.TextField()
    previous_hook_secret = fields.TextField(null=True)
    previous_hook_secret_until = fields.DatetimeField(null=True)
    credentials = fields.TextField(null=True)
    allow_private = fields.BooleanField(db_default=False)
    created_at = fields.DatetimeField()
    stores: fields.ReverseRelation["Store"]

    class Meta:
        table = "connection"


class Store(Model):
    """One shop front: its language, currency, time zone, mode and settings.

    ``mode`` is ``observing`` (decides everything, sends nothing), ``live`` or ``paused``.
    ``settings`` holds only what differs from the installation's defaults. ``catalogue_version`` counts the changes of
    what a search looks at, so that an index knows when it is stale. ``external_id`` and ``front`` are what a connector
    knows of it: the shop's own number, and its ``stores.base.ShopFront``.
    """

    id = fields.IntField(primary_key=True)
    connection: fields.ForeignKeyRelation[Connection] = fields.ForeignKeyField(
        "models.Connection", related_name="stores", on_delete=fields.RESTRICT
    )
    connection_id: int
    code = fields.CharField(64)
    name = fields.CharField(255)
    language = fields.CharField(16)
    currency = fields.CharField(3)
    timezone = fields.CharField(64)
    mode = fields.CharField(16, default="observing")
    live_since = fields.DatetimeField(null=True)
    settings: dict[str, Any] = fields.JSONField(default=dict)
    settings_version = fields.IntField(default=1)
    catalogue_version = fields.BigIntField(default=0, db_default=0)
    external_id = fields.CharField(64, null=True)
    front: dict[str, Any] | None = fields.JSONField(null=True)

    class Meta:
        table = "store"
        unique_together = (("connection_id", "code"),)
